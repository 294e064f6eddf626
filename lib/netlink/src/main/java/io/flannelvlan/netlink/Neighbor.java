package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.Locale;
import java.util.Optional;

/**
 * Which hardware address an IP address has on a link.
 *
 * @param link index of the link
 * @param mac empty while the kernel is still asking, or has asked in vain
 */
public record Neighbor(int link, IpAddress ip, Optional<MacAddress> mac, State state)
    implements Entry {

  /** {@code NUD_*} of {@code linux/neighbour.h}. */
  public enum State {
    NONE(0),
    INCOMPLETE(0x01),
    REACHABLE(0x02),
    STALE(0x04),
    DELAY(0x08),
    PROBE(0x10),
    FAILED(0x20),
    NOARP(0x40),
    PERMANENT(0x80);

    private final int bit;

    State(int bit) {
      this.bit = bit;
    }

    int bit() {
      return bit;
    }

    /** The strongest of the bits that are set. */
    static State of(int bits) {
      State found = NONE;
      for (State state : values()) {
        if ((bits & state.bit) != 0) {
          found = state;
        }
      }
      return found;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** An entry that never expires and is never asked for. */
  public static Neighbor permanent(int link, IpAddress ip, MacAddress mac) {
    return new Neighbor(link, ip, Optional.of(mac), State.PERMANENT);
  }

  @Override
  public Request put() {
    return request("replace", Message.CREATE | Message.REPLACE);
  }

  @Override
  public Request add() {
    return request("add", Message.CREATE | Message.EXCL);
  }

  @Override
  public Request delete() {
    return new Request(
        "ip neigh del " + ip + " dev #" + link,
        Message.DELNEIGH,
        Message.REQUEST,
        NeighborCodec.write(new Neighbor(link, ip, Optional.empty(), state)));
  }

  private Request request(String verb, int flags) {
    return new Request(
        "ip neigh " + verb + " " + this,
        Message.NEWNEIGH,
        Message.REQUEST | flags,
        NeighborCodec.write(this));
  }

  @Override
  public String toString() {
    return ip + mac.map(to -> " lladdr " + to).orElse("") + " dev #" + link + " nud " + state;
  }
}
