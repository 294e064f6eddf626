package io.flannelvlan.netlink;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** {@code enum in6_addr_gen_mode} of {@code linux/if_link.h}. */
public enum AddrGenMode {
  EUI64(0),
  NONE(1),
  STABLE_SECRET(2),
  RANDOM(3);

  private final int number;

  AddrGenMode(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static Optional<AddrGenMode> of(int number) {
    return Arrays.stream(values()).filter(mode -> mode.number == number).findFirst();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
