package io.flannelvlan.tests.lab;

import java.util.Locale;

/** What a port belongs to. SCTP is missing because the kernels that this was made on have none. */
public enum Protocol {
  TCP,
  UDP;

  /** As in {@code --publish 53:53/udp}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
