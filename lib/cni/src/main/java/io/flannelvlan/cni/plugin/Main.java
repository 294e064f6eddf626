package io.flannelvlan.cni.plugin;

import io.flannelvlan.cni.Call;
import io.flannelvlan.cni.SpecVersion;
import io.flannelvlan.unixhttp.NobodyListens;
import io.flannelvlan.unixhttp.Question;
import io.flannelvlan.unixhttp.UnixHttp;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** Prints what the daemon answers; 0 if it did what was asked, else 1. */
public final class Main {

  /** More than any ADD takes, less than a kubelet's patience. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Several times what the daemon's restart takes. */
  private static final Duration RESTART = Duration.ofSeconds(5);

  private static final Duration BETWEEN_TRIES = Duration.ofMillis(50);

  private static final int OK = 200;

  /** Once the daemon is there, the same call may work. */
  private static final int TRY_AGAIN_LATER = 11;

  /** What STATUS says when an ADD can't work. */
  private static final int NOT_AVAILABLE = 50;

  private Main() {}

  public static void main(String[] words) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    boolean done =
        run(System.getenv(), new String(System.in.readAllBytes(), StandardCharsets.UTF_8), out);
    out.flush();
    // Nothing is left to be ended in order, and the JVM's own way takes some milliseconds.
    Runtime.getRuntime().halt(done ? 0 : 1);
  }

  static boolean run(Map<String, String> environment, String conf, PrintStream out) {
    Map<String, String> variables = new HashMap<>();
    environment.forEach((name, value) -> {
      if (name.startsWith("CNI_")) {
        variables.put(name, value);
      }
    });
    String command = variables.getOrDefault("CNI_COMMAND", "");
    // Runtimes ask this when they read their configuration, long before the daemon need be there.
    if (command.equals("VERSION")) {
      out.println(SpecVersion.answer(conf));
      return true;
    }
    Path socket =
        Path.of(environment.getOrDefault("RUN_DIR", "/run/flannelvlan")).resolve("admin.sock");
    try {
      return ask(new UnixHttp(socket), new Call(variables, conf), !command.equals("STATUS"), out);
    } catch (IOException e) {
      out.println(noDaemon(command, conf, socket, String.valueOf(e.getMessage())));
      return false;
    }
  }

  /** A daemon that is being restarted, as by an upgrade, is waited for. */
  private static boolean ask(UnixHttp daemon, Call call, boolean waits, PrintStream out)
      throws IOException {
    long end = System.nanoTime() + RESTART.toNanos();
    while (true) {
      try {
        return daemon.ask(
            Question.post("/cni", call.text(), PATIENCE),
            (status, body) -> {
              out.print(new String(body.readAllBytes(), StandardCharsets.UTF_8));
              return status == OK;
            });
      } catch (NobodyListens e) {
        if (!waits || System.nanoTime() > end) {
          throw e;
        }
        LockSupport.parkNanos(BETWEEN_TRIES.toNanos());
      }
    }
  }

  private static String noDaemon(String command, String conf, Path socket, String reason) {
    int code = command.equals("STATUS") ? NOT_AVAILABLE : TRY_AGAIN_LATER;
    return "{\"cniVersion\":\""
        + SpecVersion.ofAnswerTo(conf)
        + "\",\"code\":"
        + code
        + ",\"msg\":\"flannelvlan does not answer at "
        + quoted(socket.toString())
        + ": is its daemon running?\",\"details\":\""
        + quoted(reason)
        + "\"}";
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          if (c == '"' || c == '\\') {
            quoted.append('\\');
          }
          quoted.appendCodePoint(c < ' ' ? ' ' : c);
        });
    return quoted.toString();
  }
}
