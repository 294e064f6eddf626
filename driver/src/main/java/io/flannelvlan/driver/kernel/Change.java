package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.MacAddress;

/**
 * One step of the kernel; prints as the command that would do it.
 *
 * <p>{@link #vlan} says on whose behalf, so that a failure reaches the one who caused it.
 */
public sealed interface Change {

  /** The VLAN that the step serves. */
  String vlan();

  /** A bridge or vxlan link, made complete in one request. */
  record AddLink(String vlan, KernelLink link) implements Change {
    @Override
    public String toString() {
      return "ip link add "
          + link.name()
          + link.mac().map(mac -> " address " + mac).orElse("")
          + " mtu "
          + link.mtu()
          + " alias '"
          + link.alias()
          + "' up type "
          + (link.kind() instanceof KernelLink.Vxlan vxlan ? vxlan : "bridge");
    }
  }

  /** A veth pair: the host's end on the bridge, the other for dockerd to move into the sandbox. */
  record AddVeth(String vlan, KernelLink hostEnd, String peerName, MacAddress peerMac)
      implements Change {
    @Override
    public String toString() {
      return "ip link add "
          + hostEnd.name()
          + " mtu "
          + hostEnd.mtu()
          + hostEnd.master().map(master -> " master " + master).orElse("")
          + (hostEnd.group() == Mark.GROUP ? "" : " group " + hostEnd.group())
          + " alias '"
          + hostEnd.alias()
          + "' up type veth peer name "
          + peerName
          + " address "
          + peerMac
          + " mtu "
          + hostEnd.mtu();
    }
  }

  record SetMtu(String vlan, String link, int mtu) implements Change {
    @Override
    public String toString() {
      return "ip link set " + link + " mtu " + mtu;
    }
  }

  record SetMac(String vlan, String link, MacAddress mac) implements Change {
    @Override
    public String toString() {
      return "ip link set " + link + " address " + mac;
    }
  }

  record SetMaster(String vlan, String link, String master) implements Change {
    @Override
    public String toString() {
      return "ip link set " + link + " master " + master;
    }
  }

  /** Our mark; and of a port, by its group alone a bridge's rules know whose it is. */
  record SetGroup(String vlan, String link, int group) implements Change {
    @Override
    public String toString() {
      return "ip link set " + link + " group " + group;
    }
  }

  record SetAlias(String vlan, String link, String alias) implements Change {
    @Override
    public String toString() {
      return "ip link set " + link + " alias '" + alias + "'";
    }
  }

  record SetUp(String vlan, String link) implements Change {
    @Override
    public String toString() {
      return "ip link set " + link + " up";
    }
  }

  record DeleteLink(String vlan, String link) implements Change {
    @Override
    public String toString() {
      return "ip link del " + link;
    }
  }

  record PutSetting(String vlan, LinkSetting setting) implements Change {
    @Override
    public String toString() {
      return setting.toString();
    }
  }

  record AddAddress(String vlan, LinkAddress address) implements Change {
    @Override
    public String toString() {
      return "ip addr add " + address;
    }
  }

  record DeleteAddress(String vlan, LinkAddress address) implements Change {
    @Override
    public String toString() {
      return "ip addr del " + address;
    }
  }

  record PutNeighbor(String vlan, LinkNeighbor neighbor) implements Change {
    @Override
    public String toString() {
      return "ip neigh replace " + neighbor;
    }
  }

  record DeleteNeighbor(String vlan, LinkNeighbor neighbor) implements Change {
    @Override
    public String toString() {
      return "ip neigh del " + neighbor.address() + " dev " + neighbor.link();
    }
  }

  record PutFdb(String vlan, LinkFdb entry) implements Change {
    @Override
    public String toString() {
      return "bridge fdb replace " + entry;
    }
  }

  record DeleteFdb(String vlan, LinkFdb entry) implements Change {
    @Override
    public String toString() {
      return "bridge fdb del " + entry;
    }
  }

  record PutRoute(String vlan, KernelRoute route) implements Change {
    @Override
    public String toString() {
      return "ip route replace " + route;
    }
  }

  record DeleteRoute(String vlan, KernelRoute route) implements Change {
    @Override
    public String toString() {
      return "ip route del " + route;
    }
  }

  /** Whether it takes something away; that it was gone already is no failure then. */
  default boolean removes() {
    return this instanceof DeleteLink
        || this instanceof DeleteAddress
        || this instanceof DeleteNeighbor
        || this instanceof DeleteFdb
        || this instanceof DeleteRoute;
  }
}
