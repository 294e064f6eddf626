package io.flannelvlan.driver;

import io.flannelvlan.unixhttp.Question;
import io.flannelvlan.unixhttp.UnixHttp;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A question to the daemon that runs on this host.
 *
 * @param socket the daemon's, for people
 */
record AdminCommand(Question question, Path socket) {

  /** A removal waits for the other hosts. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int OK = 200;

  /** To the daemon that is where RUN_DIR says. */
  static AdminCommand of(Question question, Settings settings) {
    return new AdminCommand(question, Config.adminSocket(Path.of(settings.text(Setting.RUN_DIR))));
  }

  /** What these words ask, if they are such a command. */
  static Optional<Question> question(List<String> words) {
    List<String> operands = words.stream().skip(1).takeWhile(word -> !isFlag(word)).toList();
    List<String> flags = words.stream().skip(1L + operands.size()).toList();
    String verb = words.isEmpty() ? "" : words.getFirst();
    return switch (verb + " " + operands.size()) {
      case "vlans 0" -> path("/vlans", flags, List.of()).map(p -> Question.get(p, PATIENCE));
      case "remove 1" ->
          path("/vlans/" + encoded(operands.getFirst()), flags, List.of())
              .map(p -> Question.delete(p, PATIENCE));
      case "attach 2" ->
          path(attachments(operands), flags, List.of("ifname", "ip"))
              .map(p -> Question.post(p, "", PATIENCE));
      case "detach 2" ->
          path(attachments(operands), flags, List.of()).map(p -> Question.delete(p, PATIENCE));
      default -> Optional.empty();
    };
  }

  private static boolean isFlag(String word) {
    return word.startsWith("--");
  }

  private static String attachments(List<String> operands) {
    return "/vlans/"
        + encoded(operands.getLast())
        + "/attachments?target="
        + encoded(operands.getFirst());
  }

  /** With {@code --flag value} as further parameters; empty if there are others than known. */
  private static Optional<String> path(String path, List<String> flags, List<String> known) {
    StringBuilder all = new StringBuilder(path);
    Iterator<String> words = flags.iterator();
    while (words.hasNext()) {
      String flag = words.next().replaceFirst("^--", "");
      if (!known.contains(flag) || !words.hasNext()) {
        return Optional.empty();
      }
      all.append('&').append(flag).append('=').append(encoded(words.next()));
    }
    return Optional.of(all.toString());
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  static void usage(PrintStream out) {
    out.println(
        "       flannelvlan vlans          the VLANs in etcd, and what this host has of them");
    out.println(
        "       flannelvlan remove VLAN    from all hosts and from etcd, if nothing uses it");
    out.println(
        "       flannelvlan attach CONTAINER|PID|NETNS VLAN [--ifname NAME] [--ip ADDRESS]");
    out.println("       flannelvlan detach CONTAINER|PID|NETNS VLAN");
  }

  /** Prints the answer; the exit status. */
  int run() {
    try {
      return new UnixHttp(socket)
          .ask(
              question,
              (status, body) -> {
                (status == OK ? System.out : System.err)
                    .print(new String(body.readAllBytes(), StandardCharsets.UTF_8));
                return status == OK ? 0 : 1;
              });
    } catch (IOException e) {
      System.err.println("flannelvlan: no daemon answers at " + socket + ": " + e.getMessage());
      return 1;
    }
  }
}
