package io.flannelvlan.tests.cni;

import io.flannelvlan.tests.invariants.JournalLook;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * All that pods and those who make them have outside of their sandboxes: what is not as before when
 * they are gone was left behind.
 *
 * @param links the host's ends
 * @param rules of iptables, by other plugins of a chain
 * @param addresses of all hosts, in etcd
 * @param attachments in the daemon's journal
 */
record Traces(
    List<String> links, List<String> rules, List<String> addresses, List<String> attachments) {

  /** Their common chains stay; a pod has rules with its address, and a chain for its ports. */
  private static final Pattern OF_A_POD = Pattern.compile("CNI-FORWARD -[sd] |CNI-DN-");

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  static Traces of(Lab lab, Host host) {
    return new Traces(
        host.in("ip", "-o", "link")
            .orThrow()
            .out()
            .lines()
            .map(line -> line.split("[:@] ?", -1)[1].strip())
            .filter(link -> link.matches("f[vc][0-9a-f]{12}"))
            .sorted()
            .toList(),
        host.withEnginesTools("iptables-save")
            .orThrow()
            .out()
            .lines()
            .filter(line -> OF_A_POD.matcher(line).find())
            .map(line -> line.replaceFirst(" \\[\\d+:\\d+]$", ""))
            .sorted()
            .toList(),
        addresses(lab),
        JournalLook.attachmentsOf(host));
  }

  static List<String> addresses(Lab lab) {
    return lab.etcd().keys("/flannelvlan/addresses/").stream()
        .map(key -> key.substring(key.lastIndexOf('/') + 1))
        .sorted()
        .toList();
  }

  /** The same without what other plugins made. */
  boolean areOursAsIn(Traces other) {
    return equals(new Traces(other.links, rules, other.addresses, other.attachments));
  }

  /** Waits for what goes in the background, such as keys in etcd. */
  void awaitAgain(Lab lab, Host host) {
    Supplier<Traces> now = () -> of(lab, host);
    Await.until(
        PATIENCE,
        () -> "something was left: " + now.get() + ", before: " + this,
        () -> Objects.equals(now.get(), this));
  }
}
