package io.flannelvlan.netlink;

import io.flannelvlan.net.MacAddress;
import java.nio.charset.StandardCharsets;

/** One property of a link that can be set. It prints as {@code ip link} spells it. */
public sealed interface LinkSetting {

  /** Longest name of a link: {@code IFNAMSIZ} without its NUL. */
  int MAX_NAME = 15;

  /** Longest alias: {@code IFALIASZ} without its NUL. */
  int MAX_ALIAS = 255;

  /** Whether the link has this property already. */
  boolean holdsFor(Link link);

  /** Whether the kernel takes it while it creates the link; others are set right afterwards. */
  default boolean partOfCreation() {
    return true;
  }

  /** The link's name; it can be changed only while the link is down (on older kernels). */
  record Name(String name) implements LinkSetting {

    public Name {
      boolean odd = name.chars().anyMatch(c -> c <= ' ' || c > '~' || c == '/' || c == ':');
      if (name.isEmpty() || name.length() > MAX_NAME || odd || name.matches("\\.\\.?")) {
        throw new IllegalArgumentException("\"" + name + "\" is no name for a link");
      }
    }

    @Override
    public boolean holdsFor(Link link) {
      return link.name().equals(name);
    }

    @Override
    public String toString() {
      return "name " + name;
    }
  }

  /** The hardware address. */
  record Mac(MacAddress mac) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.mac().filter(mac::equals).isPresent();
    }

    @Override
    public String toString() {
      return "address " + mac;
    }
  }

  /** The largest packet in bytes. */
  record Mtu(int bytes) implements LinkSetting {

    public Mtu {
      if (bytes < 68 || bytes > 65535) {
        throw new IllegalArgumentException("MTU " + bytes + " is outside 68…65535");
      }
    }

    @Override
    public boolean holdsFor(Link link) {
      return link.mtu() == bytes;
    }

    @Override
    public String toString() {
      return "mtu " + bytes;
    }
  }

  /** How many packets may wait for the device; of no effect on devices without a queue. */
  record QueueLength(int packets) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.common().queueLength() == packets;
    }

    @Override
    public String toString() {
      return "txqueuelen " + packets;
    }
  }

  /**
   * The bridge that the link is a port of.
   *
   * @param link the bridge's index; 0 takes the link out of its bridge
   */
  record Master(int link) implements LinkSetting {
    @Override
    public boolean holdsFor(Link other) {
      return other.master().orElse(0) == link;
    }

    @Override
    public String toString() {
      return link == 0 ? "nomaster" : "master #" + link;
    }
  }

  /** A number shared by links that {@link Request#deleteLinks} deletes together. */
  record Group(int number) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.group() == number;
    }

    @Override
    public String toString() {
      return "group " + number;
    }
  }

  /** Free text that the kernel keeps with the link; empty removes it. */
  record Alias(String text) implements LinkSetting {

    public Alias {
      if (text.getBytes(StandardCharsets.UTF_8).length > MAX_ALIAS) {
        throw new IllegalArgumentException("an alias has at most " + MAX_ALIAS + " bytes: " + text);
      }
    }

    @Override
    public boolean holdsFor(Link link) {
      return link.alias().orElse("").equals(text);
    }

    @Override
    public boolean partOfCreation() {
      return false;
    }

    @Override
    public String toString() {
      return "alias \"" + text + "\"";
    }
  }

  /** Whether a bridge sends a frame back out of the port that it came in by. */
  record Hairpin(boolean on) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.common().hairpin() == on;
    }

    /** The kernel takes what belongs to the port once the link is one. */
    @Override
    public boolean partOfCreation() {
      return false;
    }

    @Override
    public String toString() {
      return "type bridge_slave hairpin " + (on ? "on" : "off");
    }
  }

  /**
   * Which of the addresses 01:80:c2:00:00:0x a bridge takes from this port like any others, as bits
   * by x. Frames to the rest are for the bridge itself, and to 0e no netfilter hook sees them.
   */
  record GroupForward(int mask) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.common().groupForward() == mask;
    }

    @Override
    public boolean partOfCreation() {
      return false;
    }

    @Override
    public String toString() {
      return "type bridge_slave group_fwd_mask " + mask;
    }
  }

  /** Administratively up or down. */
  record Up(boolean up) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.up() == up;
    }

    @Override
    public String toString() {
      return up ? "up" : "down";
    }
  }

  /**
   * How IPv6 makes the link-local address. A kernel without IPv6 refuses the whole message with
   * EAFNOSUPPORT, so ask only where {@link Link#addrGenMode} is there.
   */
  record Ipv6(AddrGenMode mode) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.addrGenMode().filter(mode::equals).isPresent();
    }

    @Override
    public boolean partOfCreation() {
      return false;
    }

    @Override
    public String toString() {
      return "addrgenmode " + mode;
    }
  }

  /** A per-link IPv4 setting, without {@code /proc/sys}. */
  record Ipv4(Ipv4Setting setting, int value) implements LinkSetting {
    @Override
    public boolean holdsFor(Link link) {
      return link.ipv4().is(setting, value);
    }

    @Override
    public boolean partOfCreation() {
      return false;
    }

    /** {@code ip} has no word for these; this is {@code sysctl}'s, for {@code net.ipv4.conf}. */
    @Override
    public String toString() {
      return setting + "=" + value;
    }
  }
}
