package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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

  /** Of a call of CNI, the runtime's configuration within: some kilobytes. */
  private static final int LONGEST_BODY = 1 << 20;

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
    return new AdminServer(SocketServer.start(List.of(socket), IDLE, DRAIN, new Answers(api)));
  }

  private record Answers(AdminApi api) implements HttpAnswers {

    @Override
    public HttpAnswer answer(HttpCall call) {
      Map<String, Supplier<HttpAnswer>> known = at(call);
      Supplier<HttpAnswer> work = known.get(call.method());
      if (work == null) {
        return text(known.isEmpty() ? Reply.NOT_FOUND : Reply.METHOD_NOT_ALLOWED, unknown(call));
      }
      try {
        return work.get();
      } catch (Refused e) {
        return text(CONFLICT, e.getMessage());
      } catch (RuntimeException e) {
        log.error("{} /{} failed", call.method(), call.path(), e);
        return text(Reply.FAILED, "failed: " + e + "; the log has more");
      }
    }

    @Override
    public HttpAnswer refusal(int status, String reason) {
      return text(status, reason);
    }

    /** What can be asked there, by its method. */
    private Map<String, Supplier<HttpAnswer>> at(HttpCall call) {
      String path = call.path();
      return switch (path.replaceFirst("^vlans/[^/]+", "vlans/NAME")) {
        case "vlans" -> Map.of("GET", () -> text(api.vlans()));
        case "vlans/NAME" -> Map.of("DELETE", () -> text(api.remove(vlan(path))));
        case "vlans/NAME/attachments" ->
            Map.of(
                "POST", () -> text(api.attach(attach(call))),
                "DELETE", () -> text(api.detach(target(call), vlan(path))));
        case "cni" -> Map.of("POST", () -> cni(call.body()));
        default -> Map.of();
      };
    }

    private static String vlan(String path) {
      return path.split("/", -1)[1];
    }

    private HttpAnswer cni(HttpCall.Body body) {
      byte[] question;
      try {
        question = body.read(LONGEST_BODY);
      } catch (IOException e) {
        return text(Reply.BAD_REQUEST, "the body did not come to its end: " + e.getMessage());
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return text(Reply.FAILED, "flannelvlan is stopping; try again");
      }
      if (question.length > LONGEST_BODY) {
        return text(Reply.TOO_LARGE, "the body has more than " + LONGEST_BODY + " bytes");
      }
      AdminApi.CniAnswer answer = api.cni(question);
      return new HttpAnswer(
          answer.ok() ? Reply.OK : UNPROCESSABLE, "application/json", answer.text());
    }

    private static AdminApi.Attach attach(HttpCall call) {
      try {
        return new AdminApi.Attach(
            target(call),
            vlan(call.path()),
            call.parameter("ifname"),
            call.parameter("ip").map(IpAddress::parse));
      } catch (IllegalArgumentException e) {
        throw new Refused("ip: " + e.getMessage(), e);
      }
    }

    private static String target(HttpCall call) {
      return call.parameter("target")
          .orElseThrow(() -> new Refused("a target is missing: ?target=CONTAINER"));
    }

    private static String unknown(HttpCall call) {
      return call.method() + " /" + call.path() + " is unknown; " + KNOWN;
    }

    private static HttpAnswer text(String text) {
      return text(Reply.OK, text);
    }

    private static HttpAnswer text(int status, String text) {
      return new HttpAnswer(status, "text/plain; charset=utf-8", text.strip() + "\n");
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
