package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.IpAddress.Family;
import io.flannelvlan.netlink.Address;
import io.flannelvlan.netlink.FdbEntry;
import io.flannelvlan.netlink.Link;
import io.flannelvlan.netlink.Neighbor;
import io.flannelvlan.netlink.Route;
import io.flannelvlan.netlink.RouteFilter;
import io.flannelvlan.netlink.Rtnl;
import io.flannelvlan.netlink.Tunnel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One look at the kernel, translated from indices to names.
 *
 * @param indices of all links, by name
 */
record KernelDump(KernelState state, Map<String, Integer> indices) {

  /** What the kernel keeps sockets apart by: such a link shares its port with none of ours. */
  private static final Set<Tunnel.Flag> OTHER_RECEIVERS =
      Set.of(Tunnel.Flag.EXTERNAL, Tunnel.Flag.GPE, Tunnel.Flag.VNIFILTER);

  static KernelDump of(Rtnl rtnl) {
    List<Link> all = rtnl.links();
    Map<String, Integer> indices = new HashMap<>();
    Map<Integer, String> names = new HashMap<>();
    for (Link link : all) {
      indices.put(link.name(), link.index());
      names.put(link.index(), link.name());
    }
    Map<String, KernelLink> links = new HashMap<>();
    Set<LinkSetting> settings = new HashSet<>();
    Map<Integer, String> tunnels = new HashMap<>();
    for (Link link : all) {
      KernelLink ours = link(link, names);
      links.put(link.name(), ours);
      settings(link, settings);
      if (Mark.isOurs(ours) && link instanceof Link.Vxlan) {
        tunnels.put(link.index(), link.name());
      }
    }
    return new KernelDump(
        new KernelState(
            links,
            addresses(rtnl, names),
            neighbors(rtnl, tunnels),
            fdb(rtnl, tunnels),
            routes(rtnl, names),
            settings),
        indices);
  }

  private static KernelLink link(Link link, Map<Integer, String> names) {
    String alias = link.alias().orElse("");
    return new KernelLink(
        link.name(),
        kind(link, names),
        link.mac(),
        link.mtu(),
        link.up(),
        link.master().isPresent()
            ? Optional.of(name(names, link.master().getAsInt()))
            : Optional.empty(),
        Mark.aliasOf(alias, link.group()),
        link.group());
  }

  private static KernelLink.Kind kind(Link link, Map<Integer, String> names) {
    return switch (link) {
      case Link.Bridge _ -> new KernelLink.Bridge();
      case Link.Veth veth -> new KernelLink.Veth(veth.peerNamespace().isPresent());
      case Link.Other other -> new KernelLink.Other(other.kind().orElse(""));
      case Link.Vxlan vxlan -> tunnel(vxlan.tunnel(), names);
    };
  }

  private static KernelLink.Kind tunnel(Tunnel tunnel, Map<Integer, String> names) {
    boolean flannels =
        tunnel.vni().isPresent()
            && tunnel.group().isEmpty()
            && tunnel.without(Tunnel.Flag.LEARNING).without(Tunnel.Flag.GBP).flags().isEmpty();
    if (!flannels) {
      return new KernelLink.OtherVxlan(
          tunnel.vni(),
          tunnel.port(),
          tunnel.flags().stream().anyMatch(OTHER_RECEIVERS::contains),
          "vxlan " + tunnel);
    }
    return new KernelLink.Vxlan(
        tunnel.vni().get(),
        tunnel.underlay().isPresent() ? name(names, tunnel.underlay().getAsInt()) : "",
        tunnel.local(),
        tunnel.port(),
        tunnel.flags().contains(Tunnel.Flag.LEARNING),
        tunnel.flags().contains(Tunnel.Flag.GBP));
  }

  private static void settings(Link link, Set<LinkSetting> all) {
    for (LinkSetting.Name name : LinkSetting.Name.values()) {
      if (Kernel.setting(name).holdsFor(link)) {
        all.add(new LinkSetting(link.name(), name));
      }
    }
  }

  private static Set<LinkAddress> addresses(Rtnl rtnl, Map<Integer, String> names) {
    Set<LinkAddress> all = new HashSet<>();
    for (Address address : rtnl.addresses()) {
      if (address.address().address().isIpv4()) {
        String link = name(names, address.link());
        boolean labelled = address.label().equals(Optional.of(Mark.label(link)));
        all.add(new LinkAddress(link, address.address(), labelled));
      }
    }
    return all;
  }

  /** All tunnels' in one dump, since a dump of its own for each grows with the VLANs. */
  private static Set<LinkNeighbor> neighbors(Rtnl rtnl, Map<Integer, String> tunnels) {
    Set<LinkNeighbor> all = new HashSet<>();
    for (Neighbor neighbor : tunnels.isEmpty() ? List.<Neighbor>of() : rtnl.neighbors()) {
      String link = tunnels.get(neighbor.link());
      if (link != null
          && neighbor.state() == Neighbor.State.PERMANENT
          && neighbor.mac().isPresent()) {
        all.add(new LinkNeighbor(link, neighbor.ip(), neighbor.mac().get()));
      }
    }
    return all;
  }

  private static Set<LinkFdb> fdb(Rtnl rtnl, Map<Integer, String> tunnels) {
    Set<LinkFdb> all = new HashSet<>();
    for (FdbEntry entry : tunnels.isEmpty() ? List.<FdbEntry>of() : rtnl.fdb()) {
      String link = tunnels.get(entry.link());
      if (link != null && entry.permanent()) {
        all.add(new LinkFdb(link, entry.mac(), entry.dst()));
      }
    }
    return all;
  }

  private static Set<KernelRoute> routes(Rtnl rtnl, Map<Integer, String> names) {
    Set<KernelRoute> all = new HashSet<>();
    for (Route route : rtnl.routes(RouteFilter.main(Family.IPV4))) {
      all.add(
          new KernelRoute(
              route.destination(),
              route.gateway(),
              route.link().isPresent() ? name(names, route.link().getAsInt()) : "",
              route.onlink(),
              route.protocol(),
              route.metric()));
    }
    return all;
  }

  private static String name(Map<Integer, String> names, int index) {
    return names.getOrDefault(index, "#" + index);
  }
}
