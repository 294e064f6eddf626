package io.flannelvlan.dockerplugin;

import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;

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

  private static final String POST = "POST";

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
    Answers answers = new Answers(routes.verbs(), new Intake(routes, limits.body()));
    return new PluginServer(
        routes, SocketServer.start(paths, limits.idle(), limits.drain(), answers));
  }

  /**
   * Has the JVM make, beside what else a start has to do, what the first answer waits for
   * otherwise: a tenth of the time until then.
   */
  public static void prepare() {
    // The one that the JDK takes by itself, after it has looked for others in all jars.
    System.setProperty(
        "java.nio.channels.spi.SelectorProvider", "sun.nio.ch.EPollSelectorProvider");
    Thread.ofPlatform().name("prepare").daemon().start(PluginServer::warm);
  }

  /**
   * Classes for the annotations by which Netty asks its handlers what they are for; Jackson's dates
   * with the words of a locale, though nothing here has a date; and the random names that the JDK
   * has ready for Unix sockets. Nothing here may log: logging is being set up.
   */
  private static void warm() {
    for (Method method : ChannelInboundHandlerAdapter.class.getMethods()) {
      Annotation[] _ = method.getAnnotations();
    }
    String _ = Json.object().toString();
    try {
      ServerSocketChannel.open(StandardProtocolFamily.UNIX).close();
    } catch (IOException _) {
      // The server itself will tell.
    }
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

  private record Answers(Set<String> verbs, Intake intake) implements HttpAnswers {

    @Override
    public HttpAnswer answer(HttpCall call) {
      String verb = call.path();
      if (!verbs.contains(verb)) {
        return Routes.unknown(verb).http();
      }
      Reply reply = call.method().equals(POST) ? intake.answer(verb, call.body()) : notPost(verb);
      return reply.http();
    }

    @Override
    public HttpAnswer refusal(int status, String reason) {
      return Reply.error(status, Malformed.oneLine("HTTP " + status + ": " + reason)).http();
    }

    private static Reply notPost(String verb) {
      return Reply.error(Reply.METHOD_NOT_ALLOWED, verb + " is called by POST, as dockerd does");
    }
  }
}
