package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.Vni;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.StringJoiner;

/**
 * What makes one VXLAN device unlike another. The kernel fixes nearly all of it when the device is
 * made, so a device with another Tunnel has to be replaced.
 *
 * @param vni empty for a device that takes it from each packet ({@link Flag#EXTERNAL}) or has 0
 * @param underlay index of the link that carries the packets
 * @param local source address of the outer packets
 * @param group multicast group or default remote: a flannel device has none
 * @param port UDP destination port
 * @param flags what is switched on; everything else is off
 */
public record Tunnel(
    Optional<Vni> vni,
    OptionalInt underlay,
    Optional<IpAddress> local,
    Optional<IpAddress> group,
    int port,
    Set<Flag> flags) {

  /** On-off properties, in {@code ip link}'s words. */
  public enum Flag {
    LEARNING,
    GBP,
    PROXY,
    RSC,
    L2MISS,
    L3MISS,
    GPE,
    EXTERNAL,
    VNIFILTER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Tunnel {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("UDP port " + port + " is outside 1…65535");
    }
    EnumSet<Flag> copy = EnumSet.noneOf(Flag.class);
    copy.addAll(flags);
    flags = Collections.unmodifiableSet(copy);
  }

  /** A flannel device: unicast only, nothing learnt, every peer programmed. */
  public static Tunnel unicast(Vni vni, int underlay, IpAddress local, int port) {
    return new Tunnel(
        Optional.of(vni),
        OptionalInt.of(underlay),
        Optional.of(local),
        Optional.empty(),
        port,
        Set.of());
  }

  /** The same with one more flag. */
  public Tunnel with(Flag flag) {
    EnumSet<Flag> more = EnumSet.of(flag);
    more.addAll(flags);
    return new Tunnel(vni, underlay, local, group, port, more);
  }

  /** The same without a flag: to compare two while ignoring it. */
  public Tunnel without(Flag flag) {
    EnumSet<Flag> fewer = EnumSet.noneOf(Flag.class);
    fewer.addAll(flags);
    fewer.remove(flag);
    return new Tunnel(vni, underlay, local, group, port, fewer);
  }

  @Override
  public String toString() {
    StringJoiner words = new StringJoiner(" ");
    vni.ifPresent(number -> words.add("id " + number));
    group.ifPresent(address -> words.add("remote " + address));
    underlay.ifPresent(link -> words.add("dev #" + link));
    local.ifPresent(address -> words.add("local " + address));
    words.add("dstport " + port);
    if (!flags.contains(Flag.LEARNING)) {
      words.add("nolearning");
    }
    flags.forEach(flag -> words.add(flag.toString()));
    return words.toString();
  }
}
