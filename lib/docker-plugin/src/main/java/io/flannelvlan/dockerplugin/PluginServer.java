package io.flannelvlan.dockerplugin;

import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The socket that dockerd calls, or several.
 *
 * <p>Knows HTTP and no verbs.
 */
public final class PluginServer implements AutoCloseable {

  /**
   * How long and how much the server bears.
   *
   * @param idle after which a connection without a request is closed; dockerd keeps up to two for
   *     ever, and a call that meets the closing has to be repeated
   * @param ready how long a call waits for the handlers after the start: a host that carries its
   *     etcd makes keys when it first starts, which takes a small machine seconds, and the next
   *     command is a user's; dockerd itself would wait for 30 s
   * @param drain how long {@link PluginServer#close} waits for running calls
   * @param body bytes of a request's body
   */
  record Limits(Duration idle, Duration ready, Duration drain, int body) {

    static final Limits DEFAULT =
        new Limits(Duration.ofDays(7), Duration.ofSeconds(10), Duration.ofSeconds(5), 1 << 20);
  }

  private final Routes routes;
  private final SocketServer server;

  private PluginServer(Routes routes, SocketServer server) {
    this.routes = routes;
    this.server = server;
  }

  /**
   * Listens on these paths; from now on the manifest's calls are answered and the others wait for
   * {@link #ready}.
   *
   * @throws Refused if one of the paths can't be used, naming why
   */
  public static PluginServer start(List<Path> paths, Manifest manifest) {
    return start(paths, manifest, Limits.DEFAULT);
  }

  static PluginServer start(List<Path> paths, Manifest manifest, Limits limits) {
    Routes routes = new Routes(manifest, limits.ready());
    return new PluginServer(
        routes,
        SocketServer.start(
            paths,
            limits.idle(),
            limits.drain(),
            config -> configure(config, routes, new Intake(routes, limits.body()))));
  }

  /**
   * Has the JVM link, beside what else a start has to do, what the first server is kept waiting for
   * otherwise: a tenth of the time until it listens.
   */
  public static void prepare() {
    Thread.ofPlatform().name("prepare").daemon().start(PluginServer::link);
  }

  /**
   * Two methods of a record, whose bytecode each JVM makes anew. Nothing here may log: logging is
   * being set up just now.
   */
  @SuppressWarnings("ReturnValueIgnored")
  private static void link() {
    HandlerType.GET.hashCode();
    HandlerType.GET.equals(HandlerType.POST);
  }

  /** Lets through all calls that wait for their handlers, and all that come. */
  public void ready(NetworkApi network, IpamApi ipam) {
    routes.ready(new Handlers(network, ipam));
  }

  /** Takes the sockets away, lets running calls end within a bound, and closes all connections. */
  @Override
  public void close() {
    server.close();
  }

  private static void configure(JavalinConfig config, Routes routes, Intake intake) {
    config.jetty.modifyServer(server -> server.setErrorHandler(new JsonErrors()));
    for (String verb : routes.verbs()) {
      config.routes.post("/" + verb, call -> send(call, intake.answer(verb, call.req())));
    }
    config.routes.error(
        Reply.NOT_FOUND, call -> send(call, Routes.unknown(call.path().substring(1))));
    config.routes.error(Reply.METHOD_NOT_ALLOWED, call -> send(call, wrongMethod(call)));
  }

  private static Reply wrongMethod(Context call) {
    return Reply.error(
        Reply.METHOD_NOT_ALLOWED, call.path().substring(1) + " is called by POST, as dockerd does");
  }

  private static void send(Context call, Reply reply) {
    call.status(reply.status()).contentType(Reply.CONTENT_TYPE).result(reply.bytes());
  }
}
