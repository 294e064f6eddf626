package io.flannelvlan.netlink;

import io.flannelvlan.net.InterfaceAddress;
import java.util.Optional;

/**
 * An address of a link.
 *
 * @param link index of the link
 * @param scope one of {@link Scope}
 * @param label an IPv4 address's alias name, such as {@code eth0:1}; the kernel gives every address
 *     its link's name as label, which is not reported here
 */
public record Address(int link, InterfaceAddress address, int scope, Optional<String> label)
    implements Entry {

  /** An address that is valid everywhere: the usual one. */
  public static Address global(int link, InterfaceAddress address) {
    return new Address(link, address, Scope.GLOBAL, Optional.empty());
  }

  /** The same under a name that tells it from the link's others. */
  public Address labelled(String name) {
    return new Address(link, address, scope, Optional.of(name));
  }

  @Override
  public Request put() {
    return request("replace", Message.NEWADDR, Message.CREATE | Message.REPLACE);
  }

  @Override
  public Request add() {
    return request("add", Message.NEWADDR, Message.CREATE | Message.EXCL);
  }

  @Override
  public Request delete() {
    return request("del", Message.DELADDR, 0);
  }

  private Request request(String verb, int type, int flags) {
    return new Request(
        "ip address " + verb + " " + this, type, Message.REQUEST | flags, AddressCodec.write(this));
  }

  @Override
  public String toString() {
    return address
        + " dev #"
        + link
        + (scope == Scope.GLOBAL ? "" : " scope " + Scope.name(scope))
        + label.map(name -> " label " + name).orElse("");
  }
}
