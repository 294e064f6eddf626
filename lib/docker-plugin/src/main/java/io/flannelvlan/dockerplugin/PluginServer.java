package io.flannelvlan.dockerplugin;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.LowResourceMonitor;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket that dockerd calls: HTTP on it, one virtual thread for each request.
 *
 * <p>Knows HTTP and no verbs.
 */
public final class PluginServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PluginServer.class);

  /**
   * Connections that may wait to be accepted. Beyond it a Unix socket refuses at once and dockerd
   * pauses for seconds; the JDK's own choice is 50, fewer than containers that start at boot.
   */
  private static final int BACKLOG = 1024;

  /**
   * How long and how much the server bears.
   *
   * @param idle after which a connection without a request is closed; dockerd keeps up to two for
   *     ever, and a call that meets the closing has to be repeated
   * @param ready how long a call waits for the handlers after the start
   * @param drain how long {@link PluginServer#close} waits for running calls
   * @param body bytes of a request's body
   */
  record Limits(Duration idle, Duration ready, Duration drain, int body) {

    static final Limits DEFAULT =
        new Limits(Duration.ofDays(7), Duration.ofSeconds(3), Duration.ofSeconds(5), 1 << 20);
  }

  private final SocketFile socket;
  private final Routes routes;
  private final Limits limits;
  private final InFlight inFlight = new InFlight();
  private final Javalin javalin;

  private PluginServer(SocketFile socket, Manifest manifest, Limits limits) {
    this.socket = socket;
    this.limits = limits;
    this.routes = new Routes(manifest, limits.ready());
    this.javalin = Javalin.create(this::configure);
  }

  /**
   * Listens on that path; from now on the manifest's calls are answered and the others wait for
   * {@link #ready}.
   *
   * @throws Refused if the path can't be used, naming why
   */
  public static PluginServer start(Path socket, Manifest manifest) {
    return start(socket, manifest, Limits.DEFAULT);
  }

  static PluginServer start(Path path, Manifest manifest, Limits limits) {
    SocketFile socket = SocketFile.claim(path);
    PluginServer server = new PluginServer(socket, manifest, limits);
    try {
      server.javalin.start();
      socket.publish();
    } catch (IOException | RuntimeException e) {
      server.javalin.stop();
      socket.close();
      throw new Refused("socket " + path + ": can't listen: " + e, e);
    }
    log.info("listening on {}", path);
    return server;
  }

  /** Lets through all calls that wait for their handlers, and all that come. */
  public void ready(NetworkApi network, IpamApi ipam) {
    routes.ready(new Handlers(network, ipam));
  }

  /** Takes the socket away, lets running calls end within a bound, and closes all connections. */
  @Override
  public void close() {
    try {
      socket.close();
    } finally {
      try {
        if (!inFlight.drain(limits.drain())) {
          log.warn("calls still run after {} s and are cut off", limits.drain().toSeconds());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        javalin.stop();
      }
    }
  }

  private void configure(JavalinConfig config) {
    config.concurrency.useVirtualThreads = true;
    config.http.compressionStrategy = CompressionStrategy.NONE;
    config.http.prefer405over404 = true;
    config.router.ignoreTrailingSlashes = false;
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.jetty.modifyServer(this::modify);
    config.jetty.addConnector(this::connector);
    Intake intake = new Intake(routes, limits.body());
    for (String verb : routes.verbs()) {
      config.routes.post("/" + verb, call -> send(call, intake.answer(verb, call.req())));
    }
    config.routes.error(
        Reply.NOT_FOUND, call -> send(call, Routes.unknown(call.path().substring(1))));
    config.routes.error(Reply.METHOD_NOT_ALLOWED, call -> send(call, wrongMethod(call)));
  }

  private void modify(Server server) {
    // It would wake an idle host every second, to watch threads that are virtual.
    server.getBeans(LowResourceMonitor.class).forEach(server::removeBean);
    server.insertHandler(inFlight);
    server.setErrorHandler(new JsonErrors());
  }

  private Connector connector(Server server, HttpConfiguration configuration) {
    // One selector serves the two connections of dockerd, and accepts as well.
    UnixDomainServerConnector connector =
        new UnixDomainServerConnector(server, 0, 1, new AnyHostConnectionFactory(configuration));
    connector.setUnixDomainPath(socket.bindPath());
    connector.setAcceptQueueSize(BACKLOG);
    connector.setIdleTimeout(limits.idle().toMillis());
    return connector;
  }

  private static Reply wrongMethod(Context call) {
    return Reply.error(
        Reply.METHOD_NOT_ALLOWED, call.path().substring(1) + " is called by POST, as dockerd does");
  }

  private static void send(Context call, Reply reply) {
    call.status(reply.status()).contentType(Reply.CONTENT_TYPE).result(reply.bytes());
  }
}
