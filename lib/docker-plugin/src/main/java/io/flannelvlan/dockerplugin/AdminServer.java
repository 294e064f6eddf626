package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.IpAddress;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket for people and their scripts: {@code curl --unix-socket /run/flannelvlan/admin.sock
 * …}. Answers are lines of text.
 */
public final class AdminServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(AdminServer.class);

  private static final Duration IDLE = Duration.ofMinutes(1);
  private static final Duration DRAIN = Duration.ofSeconds(1);

  private static final int CONFLICT = 409;

  /** An error object is the answer. */
  private static final int UNPROCESSABLE = 422;

  private static final String KNOWN =
      "known are GET /vlans, DELETE /vlans/NAME, POST and DELETE /vlans/NAME/attachments, POST /cni";

  private final SocketServer server;

  private AdminServer(SocketServer server) {
    this.server = server;
  }

  /**
   * Listens.
   *
   * @throws Refused if the path can't be used, naming why
   */
  public static AdminServer start(Path socket, AdminApi api) {
    return new AdminServer(
        SocketServer.start(List.of(socket), IDLE, DRAIN, config -> configure(config, api)));
  }

  private static void configure(JavalinConfig config, AdminApi api) {
    config.routes.get("/vlans", call -> answer(call, api::vlans));
    config.routes.delete("/vlans/{name}", call -> answer(call, () -> api.remove(name(call))));
    config.routes.post(
        "/vlans/{name}/attachments", call -> answer(call, () -> api.attach(attach(call))));
    config.routes.delete(
        "/vlans/{name}/attachments",
        call -> answer(call, () -> api.detach(target(call), name(call))));
    config.routes.post("/cni", call -> cni(call, api));
    config.routes.error(Reply.NOT_FOUND, call -> send(call, unknown(call)));
    config.routes.error(Reply.METHOD_NOT_ALLOWED, call -> send(call, unknown(call)));
  }

  private static AdminApi.Attach attach(Context call) {
    try {
      return new AdminApi.Attach(
          target(call),
          name(call),
          Optional.ofNullable(call.queryParam("ifname")),
          Optional.ofNullable(call.queryParam("ip")).map(IpAddress::parse));
    } catch (IllegalArgumentException e) {
      throw new Refused("ip: " + e.getMessage(), e);
    }
  }

  private static String target(Context call) {
    return Optional.ofNullable(call.queryParam("target"))
        .orElseThrow(() -> new Refused("a target is missing: ?target=CONTAINER"));
  }

  private static void cni(Context call, AdminApi api) {
    AdminApi.CniAnswer answer = api.cni(call.bodyAsBytes());
    call.status(answer.ok() ? Reply.OK : UNPROCESSABLE)
        .contentType("application/json")
        .result(answer.text());
  }

  private static String name(Context call) {
    return call.pathParam("name");
  }

  private static String unknown(Context call) {
    return call.method() + " " + call.path() + " is unknown; " + KNOWN;
  }

  private static void answer(Context call, Supplier<String> work) {
    try {
      send(call, work.get());
    } catch (Refused e) {
      send(call.status(CONFLICT), e.getMessage());
    } catch (RuntimeException e) {
      log.error("{} {} failed", call.method(), call.path(), e);
      send(call.status(Reply.FAILED), "failed: " + e + "; the log has more");
    }
  }

  private static void send(Context call, String text) {
    call.contentType("text/plain; charset=utf-8").result(text.strip() + "\n");
  }

  @Override
  public void close() {
    server.close();
  }
}
