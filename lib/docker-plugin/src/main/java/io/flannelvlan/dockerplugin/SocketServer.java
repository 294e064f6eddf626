package io.flannelvlan.dockerplugin;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * HTTP on Unix sockets.
 *
 * <p>Knows no paths: whoever starts it brings what is answered.
 */
final class SocketServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(SocketServer.class);

  /**
   * Connections that may wait to be accepted. Beyond it a Unix socket refuses at once and dockerd
   * pauses for seconds; the JDK's own choice is 50, fewer than containers that start at boot.
   */
  private static final int BACKLOG = 1024;

  /** One thread decodes for all connections: two of dockerd's, and a few of CNI's. */
  private static final int THREADS = 1;

  /** For channels to be closed, which nothing holds up. */
  private static final Duration CLOSING = Duration.ofSeconds(1);

  private final List<SocketFile> sockets;
  private final Duration drain;
  private final InFlight inFlight = new InFlight();
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(
          THREADS,
          new DefaultThreadFactory("socket", /* daemon= */ true),
          NioIoHandler.newFactory());

  /** All that is open; what comes while it closes is closed at once. */
  private final ChannelGroup channels =
      new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE, /* stayClosed= */ true);

  private SocketServer(List<SocketFile> sockets, Duration drain) {
    this.sockets = sockets;
    this.drain = drain;
  }

  /**
   * Listens on these paths.
   *
   * @param idle after which a connection without a call is closed
   * @param drain how long {@link #close} waits for running calls
   * @throws Refused if one of the paths can't be used, naming why
   */
  static SocketServer start(List<Path> paths, Duration idle, Duration drain, HttpAnswers answers) {
    List<SocketFile> sockets = new ArrayList<>();
    try {
      for (Path path : paths) {
        sockets.add(SocketFile.claim(path));
      }
      SocketServer server = new SocketServer(sockets, drain);
      server.listen(paths, idle, answers);
      return server;
    } catch (RuntimeException e) {
      sockets.forEach(SocketFile::close);
      throw e;
    }
  }

  private void listen(List<Path> paths, Duration idle, HttpAnswers answers) {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop)
            .channel(NioServerDomainSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.AUTO_READ, false)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channels.add(channel);
                    channel
                        .pipeline()
                        .addLast(
                            new HttpServerCodec(), new HttpConnection(answers, inFlight, idle));
                  }
                });
    try {
      for (SocketFile socket : sockets) {
        ChannelFuture bound =
            bootstrap.bind(UnixDomainSocketAddress.of(socket.bindPath())).awaitUninterruptibly();
        if (!bound.isSuccess()) {
          throw new IOException(bound.cause());
        }
        channels.add(bound.channel());
        socket.publish();
      }
    } catch (IOException | RuntimeException e) {
      stop();
      throw new Refused("socket " + paths + ": can't listen: " + e, e);
    }
    log.info("listening on {}", paths);
  }

  private void stop() {
    // A loop that ends by itself leaves channels open.
    boolean _ = channels.close().awaitUninterruptibly(CLOSING.toMillis());
    boolean _ =
        loop.shutdownGracefully(0, CLOSING.toMillis(), TimeUnit.MILLISECONDS)
            .awaitUninterruptibly(CLOSING.toMillis());
  }

  /** Takes the socket away, lets running calls end within a bound, and closes all connections. */
  @Override
  public void close() {
    try {
      sockets.forEach(SocketFile::close);
    } finally {
      try {
        if (!inFlight.drain(drain)) {
          log.warn("calls still run after {} s and are cut off", drain.toSeconds());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        stop();
      }
    }
  }
}
