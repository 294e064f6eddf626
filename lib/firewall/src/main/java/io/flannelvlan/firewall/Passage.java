package io.flannelvlan.firewall;

import io.flannelvlan.net.Cidr;
import java.util.Optional;

/**
 * What iptables lets through: all that comes from a bridge or goes to it, or that of one subnet.
 *
 * @param bridge its name, or the beginning of names and a {@code +}
 */
public record Passage(String bridge, Optional<Cidr> subnet) implements Comparable<Passage> {

  public Passage {
    LinkName.checkedForIptables(bridge);
  }

  /** All of a bridge. */
  public static Passage of(String bridge) {
    return new Passage(bridge, Optional.empty());
  }

  /** The match of one direction, as iptables-save writes it. */
  String from() {
    return subnet.map(s -> "-s " + s + " ").orElse("") + "-i " + bridge;
  }

  String to() {
    return subnet.map(s -> "-d " + s + " ").orElse("") + "-o " + bridge;
  }

  @Override
  public int compareTo(Passage other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return bridge + subnet.map(s -> " (" + s + ")").orElse("");
  }
}
