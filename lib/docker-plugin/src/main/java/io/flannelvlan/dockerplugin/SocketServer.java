package io.flannelvlan.dockerplugin;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.LowResourceMonitor;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * HTTP on Unix sockets, one virtual thread for each request.
 *
 * <p>Knows no paths: whoever starts it brings them.
 */
final class SocketServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(SocketServer.class);

  /**
   * Connections that may wait to be accepted. Beyond it a Unix socket refuses at once and dockerd
   * pauses for seconds; the JDK's own choice is 50, fewer than containers that start at boot.
   */
  private static final int BACKLOG = 1024;

  private final List<SocketFile> sockets;
  private final Duration idle;
  private final Duration drain;
  private final InFlight inFlight = new InFlight();
  private final Javalin javalin;

  private SocketServer(
      List<SocketFile> sockets, Duration idle, Duration drain, Consumer<JavalinConfig> routes) {
    this.sockets = sockets;
    this.idle = idle;
    this.drain = drain;
    this.javalin = Javalin.create(config -> configure(config, routes));
  }

  /**
   * Listens on these paths.
   *
   * @param idle after which a connection without a request is closed
   * @param drain how long {@link #close} waits for running calls
   * @param routes what is answered
   * @throws Refused if one of the paths can't be used, naming why
   */
  static SocketServer start(
      List<Path> paths, Duration idle, Duration drain, Consumer<JavalinConfig> routes) {
    List<SocketFile> sockets = new ArrayList<>();
    try {
      for (Path path : paths) {
        sockets.add(SocketFile.claim(path));
      }
      SocketServer server = new SocketServer(sockets, idle, drain, routes);
      server.listen(paths);
      return server;
    } catch (RuntimeException e) {
      sockets.forEach(SocketFile::close);
      throw e;
    }
  }

  private void listen(List<Path> paths) {
    try {
      javalin.start();
      for (SocketFile socket : sockets) {
        socket.publish();
      }
    } catch (IOException | RuntimeException e) {
      javalin.stop();
      throw new Refused("socket " + paths + ": can't listen: " + e, e);
    }
    log.info("listening on {}", paths);
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
        javalin.stop();
      }
    }
  }

  private void configure(JavalinConfig config, Consumer<JavalinConfig> routes) {
    config.concurrency.useVirtualThreads = true;
    config.http.compressionStrategy = CompressionStrategy.NONE;
    config.http.prefer405over404 = true;
    config.router.ignoreTrailingSlashes = false;
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.jetty.modifyServer(this::modify);
    for (SocketFile socket : sockets) {
      config.jetty.addConnector((server, http) -> connector(socket, server, http));
    }
    routes.accept(config);
  }

  private void modify(Server server) {
    // It would wake an idle host every second, to watch threads that are virtual.
    server.getBeans(LowResourceMonitor.class).forEach(server::removeBean);
    server.insertHandler(inFlight);
  }

  private Connector connector(SocketFile socket, Server server, HttpConfiguration configuration) {
    // One selector serves the two connections of dockerd, and accepts as well.
    UnixDomainServerConnector connector =
        new UnixDomainServerConnector(server, 0, 1, new AnyHostConnectionFactory(configuration));
    connector.setUnixDomainPath(socket.bindPath());
    connector.setAcceptQueueSize(BACKLOG);
    connector.setIdleTimeout(idle.toMillis());
    return connector;
  }
}
