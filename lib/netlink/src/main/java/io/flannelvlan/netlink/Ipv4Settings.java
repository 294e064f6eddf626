package io.flannelvlan.netlink;

import java.util.List;
import java.util.OptionalInt;

/**
 * All IPv4 settings of one link as the kernel reports them.
 *
 * @param values the kernel's array; the setting with number n is at n − 1
 */
public record Ipv4Settings(List<Integer> values) {

  /** A link without IPv4: its MTU is below 68, or it is in the middle of being deleted. */
  static final Ipv4Settings NONE = new Ipv4Settings(List.of());

  public Ipv4Settings {
    values = List.copyOf(values);
  }

  /** The setting's value; empty if this kernel does not know it. */
  public OptionalInt get(Ipv4Setting setting) {
    int at = setting.number() - 1;
    return at < values.size() ? OptionalInt.of(values.get(at)) : OptionalInt.empty();
  }

  boolean is(Ipv4Setting setting, int value) {
    return get(setting).equals(OptionalInt.of(value));
  }
}
