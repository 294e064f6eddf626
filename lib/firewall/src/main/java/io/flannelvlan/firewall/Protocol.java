package io.flannelvlan.firewall;

import java.util.Locale;

/** A transport protocol of which ports can be published. */
public enum Protocol {
  TCP(6),
  UDP(17),
  SCTP(132);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /** Its number in the IP header, which Docker uses too. */
  public int number() {
    return number;
  }

  /**
   * The protocol with this number in the IP header.
   *
   * @throws IllegalArgumentException if it has no ports to publish
   */
  public static Protocol of(int number) {
    for (Protocol protocol : values()) {
      if (protocol.number == number) {
        return protocol;
      }
    }
    throw new IllegalArgumentException(
        "ports of IP protocol " + number + " cannot be published, only tcp, udp and sctp");
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
