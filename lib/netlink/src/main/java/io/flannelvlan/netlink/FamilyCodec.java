package io.flannelvlan.netlink;

import io.flannelvlan.netlink.LinkSetting.Ipv4;
import io.flannelvlan.netlink.LinkSetting.Ipv6;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the protocol families keep per link, in {@code IFLA_AF_SPEC}.
 *
 * <pre>
 *  AF_INET  { IFLA_INET_CONF { … } }
 *             read: an array of s32, setting n at n − 1; written: attributes of type n, a u32 each
 *             (net/ipv4/devinet.c, inet_fill_link_af and inet_set_link_af)
 *  AF_INET6 { IFLA_INET6_ADDR_GEN_MODE u8 }
 *             the settings of IPv6 themselves (accept_ra…) can only be read here
 * </pre>
 */
final class FamilyCodec {

  static final int AF_INET = 2;
  static final int AF_INET6 = 10;

  private static final int INET_CONF = 1;
  private static final int INET6_ADDR_GEN_MODE = 8;

  private FamilyCodec() {}

  /** What was read of both families. */
  record Families(Ipv4Settings ipv4, Optional<AddrGenMode> addrGenMode) {
    static final Families NONE = new Families(Ipv4Settings.NONE, Optional.empty());
  }

  static void write(List<LinkSetting> settings, AttributeWriter out) {
    List<Ipv4> conf = new ArrayList<>();
    Optional<AddrGenMode> mode = Optional.empty();
    for (LinkSetting setting : settings) {
      if (setting instanceof Ipv4 one) {
        conf.add(one);
      } else if (setting instanceof Ipv6(AddrGenMode wanted)) {
        mode = Optional.of(wanted);
      }
    }
    if (!conf.isEmpty()) {
      out.nested(AF_INET, inet -> inet.nested(INET_CONF, in -> writeConf(conf, in)));
    }
    mode.ifPresent(
        wanted -> out.nested(AF_INET6, in -> in.u8(INET6_ADDR_GEN_MODE, wanted.number())));
  }

  private static void writeConf(List<Ipv4> conf, AttributeWriter out) {
    conf.forEach(one -> out.u32(one.setting().number(), one.value()));
  }

  static Families read(AttributeReader families) {
    Ipv4Settings ipv4 = Ipv4Settings.NONE;
    Optional<AddrGenMode> mode = Optional.empty();
    while (families.next()) {
      if (families.type() == AF_INET) {
        ipv4 = readInet(families.nested());
      } else if (families.type() == AF_INET6) {
        mode = readInet6(families.nested());
      }
    }
    return new Families(ipv4, mode);
  }

  private static Ipv4Settings readInet(AttributeReader inet) {
    List<Integer> values = new ArrayList<>();
    while (inet.next()) {
      if (inet.type() == INET_CONF) {
        ByteBuffer array = inet.value();
        while (array.remaining() >= 4) {
          values.add(array.getInt());
        }
      }
    }
    return new Ipv4Settings(values);
  }

  private static Optional<AddrGenMode> readInet6(AttributeReader inet6) {
    Optional<AddrGenMode> mode = Optional.empty();
    while (inet6.next()) {
      if (inet6.type() == INET6_ADDR_GEN_MODE) {
        mode = AddrGenMode.of(inet6.u8());
      }
    }
    return mode;
  }
}
