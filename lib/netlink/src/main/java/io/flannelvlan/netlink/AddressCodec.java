package io.flannelvlan.netlink;

import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Addresses as messages {@code RTM_NEWADDR}, {@code RTM_GETADDR}, {@code RTM_DELADDR}.
 *
 * <pre>
 *  0        1        2       3       4       8
 *  +--------+--------+-------+-------+-------+
 *  | family | prefix | flags | scope | index |     struct ifaddrmsg, linux/if_addr.h
 *  +--------+--------+-------+-------+-------+
 *  IFA_LOCAL is the address; IFA_ADDRESS is the far end on point-to-point links, else the same.
 *  IPv6 reports IFA_ADDRESS alone.
 * </pre>
 */
final class AddressCodec {

  static final int HEADER = 8;

  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  private static final int IFA_LABEL = 3;

  private AddressCodec() {}

  static ByteBuffer write(Address address) {
    IpAddress ip = address.address().address();
    AttributeWriter out =
        new AttributeWriter()
            .raw(
                header(address.link())
                    .put(0, (byte) familyOf(ip))
                    .put(1, (byte) address.address().length())
                    .put(3, (byte) address.scope()))
            .ip(IFA_LOCAL, ip)
            .ip(IFA_ADDRESS, ip);
    address.label().ifPresent(label -> out.string(IFA_LABEL, label));
    return out.payload();
  }

  /** Asks for all addresses of one link, or of all of them if {@code link} is 0. */
  static ByteBuffer all(int link) {
    return header(link);
  }

  static Address read(Message message) {
    AttributeReader in = message.attributes(HEADER);
    ByteBuffer header = message.payload();
    Optional<IpAddress> near = Optional.empty();
    Optional<IpAddress> far = Optional.empty();
    Optional<String> label = Optional.empty();
    while (in.next()) {
      switch (in.type()) {
        case IFA_LOCAL -> near = Optional.of(in.ip());
        case IFA_ADDRESS -> far = Optional.of(in.ip());
        case IFA_LABEL -> label = Optional.of(in.string()).filter(name -> name.contains(":"));
        default -> {}
      }
    }
    Optional<IpAddress> own = near.isPresent() ? near : far;
    IpAddress ip =
        own.orElseThrow(() -> new MalformedMessageException("address message without address"));
    int length = Byte.toUnsignedInt(header.get(1));
    if (length > ip.family().bits()) {
      throw new MalformedMessageException("address " + ip + " with prefix length " + length);
    }
    return new Address(
        header.getInt(4),
        new InterfaceAddress(ip, length),
        Byte.toUnsignedInt(header.get(3)),
        label);
  }

  static int familyOf(IpAddress ip) {
    return ip.isIpv4() ? FamilyCodec.AF_INET : FamilyCodec.AF_INET6;
  }

  private static ByteBuffer header(int link) {
    return ByteBuffer.allocate(HEADER).order(ByteOrder.nativeOrder()).putInt(4, link);
  }
}
