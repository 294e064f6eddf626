package io.flannelvlan.cni;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the specification asks of a plugin. A refusal is a {@link CniException}. */
public interface CniApi {

  /**
   * A link that a container shall have.
   *
   * @param address a free one if absent
   * @param mac one made from the address if absent
   */
  record Wish(String vlan, String ifname, Optional<IpAddress> address, Optional<MacAddress> mac) {}

  /**
   * A link that a container has.
   *
   * @param hostLink its other end, on the host
   * @param gateway absent if the VLAN is internal
   * @param range the VLAN's, reached through the subnet's first address
   * @param first whether the default route leads through it, if there is one
   */
  record Attached(
      String vlan,
      String ifname,
      MacAddress mac,
      String hostLink,
      MacAddress hostMac,
      int mtu,
      InterfaceAddress address,
      Optional<IpAddress> gateway,
      Cidr range,
      boolean first) {}

  /**
   * A link that a container should have, as the result of its ADD says.
   *
   * @param address absent if the result names none for it
   */
  record Expected(String ifname, Optional<MacAddress> mac, Optional<InterfaceAddress> address) {}

  /**
   * Gives a container its links: all or none.
   *
   * @param wishes one at least; the first has the ifname of the id
   */
  List<Attached> add(AttachmentId id, Path netns, List<Wish> wishes);

  /** Takes them away, whatever of them and of the container is left; unknown ones are no error. */
  void delete(AttachmentId id, Optional<Path> netns);

  /**
   * Looks whether they are as they were made.
   *
   * @throws CniException saying what is not
   */
  void check(AttachmentId id, Path netns, List<Expected> expected);

  /** Takes away all of this network that the runtime does not name. */
  void collect(String network, Set<AttachmentId> valid);

  /**
   * Whether an ADD can work.
   *
   * @param vlan whose; all are meant if absent
   * @throws CniException if not
   */
  void status(Optional<String> vlan);
}
