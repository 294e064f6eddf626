package io.flannelvlan.firewall;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What matters to us in iptables' table {@code filter}, as {@code iptables-save} prints it, and the
 * {@code iptables-restore} scripts that put it right. Pure text.
 *
 * @param policy of chain FORWARD
 * @param forward the rules of chain FORWARD, without {@code -A FORWARD}
 * @param own the rules of our chain, without {@code -A FLANNELVLAN}; absent: no such chain
 */
record FilterTable(String policy, List<String> forward, Optional<List<String>> own) {

  static final String CHAIN = "FLANNELVLAN";

  private static final String JUMP = "-j " + CHAIN;

  /** The chain that Docker leaves to the host's owner, whose word must come before ours. */
  private static final String USERS_JUMP = "-j DOCKER-USER";

  private static final String DOCKERS_JUMP = "-j DOCKER";

  static FilterTable parse(String saved) {
    String policy = "ACCEPT";
    boolean present = false;
    List<String> forward = new ArrayList<>();
    List<String> own = new ArrayList<>();
    for (String line : saved.lines().map(String::strip).toList()) {
      if (line.startsWith(":FORWARD ")) {
        policy = line.split(" ", -1)[1];
      } else if (line.startsWith(":" + CHAIN + " ")) {
        present = true;
      } else if (line.startsWith("-A FORWARD ")) {
        forward.add(line.substring("-A FORWARD ".length()));
      } else if (line.startsWith("-A " + CHAIN + " ")) {
        own.add(line.substring(("-A " + CHAIN + " ").length()));
      }
    }
    return new FilterTable(policy, forward, present ? Optional.of(own) : Optional.empty());
  }

  /** As the other, where all bridges are ours. */
  Optional<String> repair(Collection<Passage> passages) {
    return repair(passages, Set.of());
  }

  /**
   * The script that makes our traffic pass; empty if nothing is to be done.
   *
   * @param plain bridges that are Docker's: what it drops on its own account must pass before
   */
  Optional<String> repair(Collection<Passage> passages, Collection<String> plain) {
    List<String> wanted = new ArrayList<>(accepts(passages));
    wanted.addAll(plainAccepts(plain));
    boolean current = own.isPresent() && own.get().equals(wanted);
    boolean placed = isPlaced() && (plain.isEmpty() || isBeforeDockers());
    if (!mayDrop() || (current && placed)) {
      return Optional.empty();
    }
    List<String> lines = new ArrayList<>();
    wanted.forEach(rule -> lines.add("-A " + CHAIN + " " + rule));
    if (!placed) {
      lines.addAll(unhook());
      lines.add("-I FORWARD " + position() + " " + JUMP);
    }
    return Optional.of(script(lines));
  }

  /** The script that removes all that is ours; empty if there is nothing. */
  Optional<String> removal() {
    if (own.isEmpty()) {
      return Optional.empty();
    }
    List<String> lines = new ArrayList<>(unhook());
    lines.add("-X " + CHAIN);
    return Optional.of(script(lines));
  }

  private static List<String> accepts(Collection<Passage> passages) {
    return passages.stream()
        .sorted()
        .flatMap(passage -> List.of(passage.from(), passage.to()).stream())
        .map(match -> match + " -j ACCEPT")
        .toList();
  }

  /** What stays on such a bridge is Docker's own affair, by its {@code --icc}. */
  private static List<String> plainAccepts(Collection<String> plain) {
    return plain.stream()
        .sorted()
        .flatMap(bridge ->
            Stream.of("-i " + bridge + " ! -o " + bridge, "! -i " + bridge + " -o " + bridge))
        .map(match -> match + " -j ACCEPT")
        .toList();
  }

  /** An empty FORWARD that accepts stops nobody; where iptables is not in use it stays unused. */
  private boolean mayDrop() {
    return own.isPresent() || !policy.equals("ACCEPT") || !forward.isEmpty();
  }

  /**
   * Once, and behind the users' rules. What else stands before it came later and by somebody's
   * will: Docker inserts its chains at the top when it starts, and they concern its own bridges.
   */
  private boolean isPlaced() {
    return forward.indexOf(JUMP) == forward.lastIndexOf(JUMP)
        && forward.indexOf(JUMP) > forward.lastIndexOf(USERS_JUMP);
  }

  private boolean isBeforeDockers() {
    int jump = forward.indexOf(JUMP);
    return forward.subList(0, jump).stream()
        .noneMatch(rule -> rule.contains(DOCKERS_JUMP) && !rule.equals(USERS_JUMP));
  }

  private List<String> unhook() {
    return forward.stream().filter(JUMP::equals).map(jump -> "-D FORWARD " + jump).toList();
  }

  /** Counted from 1, after {@link #unhook}. */
  private int position() {
    return forward.stream().filter(rule -> !rule.equals(JUMP)).toList().lastIndexOf(USERS_JUMP) + 2;
  }

  /** With --noflush, naming a chain of users makes or empties it, and touches no other. */
  private static String script(List<String> lines) {
    return "*filter\n:" + CHAIN + " - [0:0]\n" + String.join("\n", lines) + "\nCOMMIT\n";
  }
}
