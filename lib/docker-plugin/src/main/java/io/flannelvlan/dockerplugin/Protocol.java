package io.flannelvlan.dockerplugin;

/** A transport protocol of published and exposed ports, with the IP protocol number on the wire. */
public enum Protocol {
  ICMP(1),
  TCP(6),
  UDP(17),
  SCTP(132);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /** The IP protocol number, as IANA assigns it. */
  public int number() {
    return number;
  }

  static Protocol of(int number) {
    for (Protocol protocol : values()) {
      if (protocol.number == number) {
        return protocol;
      }
    }
    throw new IllegalArgumentException(
        number + " is no protocol that Docker publishes: 1 icmp, 6 tcp, 17 udp, 132 sctp");
  }
}
