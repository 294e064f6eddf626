package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.IpAddress.Family;
import io.flannelvlan.netlink.Address;
import io.flannelvlan.netlink.Entry;
import io.flannelvlan.netlink.FdbEntry;
import io.flannelvlan.netlink.Ipv4Setting;
import io.flannelvlan.netlink.Link;
import io.flannelvlan.netlink.LinkSetting.Alias;
import io.flannelvlan.netlink.LinkSetting.Group;
import io.flannelvlan.netlink.LinkSetting.Ipv4;
import io.flannelvlan.netlink.LinkSetting.Mac;
import io.flannelvlan.netlink.LinkSetting.Master;
import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.QueueLength;
import io.flannelvlan.netlink.LinkSetting.Up;
import io.flannelvlan.netlink.Neighbor;
import io.flannelvlan.netlink.NetlinkException;
import io.flannelvlan.netlink.Reply;
import io.flannelvlan.netlink.Request;
import io.flannelvlan.netlink.Route;
import io.flannelvlan.netlink.RouteFilter;
import io.flannelvlan.netlink.Rtnl;
import io.flannelvlan.netlink.Tunnel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The kernel as {@link KernelState} and {@link Change} speak of it: by name, not by index. Used by
 * one thread.
 */
public final class Kernel implements AutoCloseable {

  private final Rtnl rtnl;

  /** Indices by name, as the last dump and the links made since show them. */
  private final Map<String, Integer> indices = new HashMap<>();

  public Kernel(Rtnl rtnl) {
    this.rtnl = rtnl;
  }

  /**
   * One look at everything that a plan compares.
   *
   * @throws NetlinkException if the kernel does not give it
   */
  public KernelState dump() {
    List<Link> all = rtnl.links();
    indices.clear();
    Map<Integer, String> names = new HashMap<>();
    for (Link link : all) {
      indices.put(link.name(), link.index());
      names.put(link.index(), link.name());
    }
    Map<String, KernelLink> links = new HashMap<>();
    Set<LinkSetting> settings = new HashSet<>();
    Set<LinkNeighbor> neighbors = new HashSet<>();
    Set<LinkFdb> fdb = new HashSet<>();
    for (Link link : all) {
      KernelLink ours = link(link, names);
      links.put(link.name(), ours);
      settings(link, settings);
      if (Mark.isOurs(ours) && link instanceof Link.Vxlan) {
        neighbors(link, neighbors);
        fdb(link, fdb);
      }
    }
    return new KernelState(links, addresses(names), neighbors, fdb, routes(names), settings);
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
        // The alias can't be given with the creation, the group can: a crash between the two leaves
        // a link that is ours without saying for what.
        alias.isEmpty() && link.group() == Mark.GROUP ? Mark.alias("") : alias);
  }

  private static KernelLink.Kind kind(Link link, Map<Integer, String> names) {
    return switch (link) {
      case Link.Bridge _ -> new KernelLink.Bridge();
      case Link.Veth _ -> new KernelLink.Veth();
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
      // Nothing that we would make; it can only be in the way, by its name.
      return new KernelLink.Other("vxlan " + tunnel);
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
      if (link.ipv4().get(setting(name)).equals(OptionalInt.of(1))) {
        all.add(new LinkSetting(link.name(), name));
      }
    }
  }

  private Set<LinkAddress> addresses(Map<Integer, String> names) {
    Set<LinkAddress> all = new HashSet<>();
    for (Address address : rtnl.addresses()) {
      if (address.address().address().isIpv4()) {
        all.add(new LinkAddress(name(names, address.link()), address.address()));
      }
    }
    return all;
  }

  private void neighbors(Link link, Set<LinkNeighbor> all) {
    for (Neighbor neighbor : rtnl.neighbors(link.index())) {
      if (neighbor.state() == Neighbor.State.PERMANENT && neighbor.mac().isPresent()) {
        all.add(new LinkNeighbor(link.name(), neighbor.ip(), neighbor.mac().get()));
      }
    }
  }

  private void fdb(Link link, Set<LinkFdb> all) {
    for (FdbEntry entry : rtnl.fdb(link.index())) {
      if (entry.permanent()) {
        all.add(new LinkFdb(link.name(), entry.mac(), entry.dst()));
      }
    }
  }

  private Set<KernelRoute> routes(Map<Integer, String> names) {
    Set<KernelRoute> all = new HashSet<>();
    for (Route route : rtnl.routes(RouteFilter.main(Family.IPV4))) {
      all.add(
          new KernelRoute(
              route.destination(),
              route.gateway(),
              route.link().isPresent() ? name(names, route.link().getAsInt()) : "",
              route.onlink(),
              route.protocol()));
    }
    return all;
  }

  /**
   * Takes the steps in order and goes on after one that fails.
   *
   * @return for each step what the kernel said against it, if it did
   */
  public List<Optional<String>> apply(List<Change> changes) {
    List<Optional<String>> errors = new ArrayList<>();
    int next = 0;
    while (next < changes.size()) {
      // Entries need the index of a link that may be made just before, so a run of entries goes in
      // one send and each step on links alone.
      int entries = run(changes, next, Kernel::isEntry);
      int deletions = run(changes, next, change -> change instanceof Change.DeleteLink);
      int end = Math.max(next + 1, Math.max(entries, deletions));
      List<Change> run = changes.subList(next, end);
      errors.addAll(deletions > next + 1 ? deleteTogether(run) : applyTogether(run));
      next = end;
    }
    return errors;
  }

  /** Where the run of such changes that begins here ends. */
  private static int run(List<Change> changes, int from, Predicate<Change> such) {
    int end = from;
    while (end < changes.size() && such.test(changes.get(end))) {
      end++;
    }
    return end;
  }

  /**
   * Deletes many links in one request: the kernel then waits for its readers once (sixty veth pairs
   * take 90 ms) and not once for each (a second).
   */
  private List<Optional<String>> deleteTogether(List<Change> changes) {
    List<Request> doomed = new ArrayList<>();
    for (Change change : changes) {
      if (change instanceof Change.DeleteLink delete && indices.containsKey(delete.link())) {
        doomed.add(Request.setLink(index(delete.link()), List.of(new Group(Mark.DOOMED_GROUP))));
      }
    }
    rtnl.batch(doomed);
    Optional<String> failure = Optional.empty();
    try {
      rtnl.runUnlessAbsent(Request.deleteLinks(Mark.DOOMED_GROUP));
    } catch (NetlinkException e) {
      failure = Optional.of(text(e));
    }
    return Collections.nCopies(changes.size(), failure);
  }

  private List<Optional<String>> applyTogether(List<Change> changes) {
    List<Request> requests = new ArrayList<>();
    List<Optional<String>> errors = new ArrayList<>();
    for (Change change : changes) {
      try {
        requests.add(request(change));
        errors.add(Optional.empty());
      } catch (MissingLinkException e) {
        errors.add(Optional.of(String.valueOf(e.getMessage())));
      }
    }
    List<Reply> answers = rtnl.batch(requests);
    int answer = 0;
    for (int i = 0; i < changes.size(); i++) {
      if (errors.get(i).isEmpty()) {
        Change change = changes.get(i);
        errors.set(
            i, answers.get(answer++).failure().filter(e -> !harmless(change, e)).map(Kernel::text));
        learnIndex(change);
      }
    }
    return errors;
  }

  /** Later steps of the same plan speak of a new bridge or tunnel; of a veth none does. */
  private void learnIndex(Change change) {
    if (change instanceof Change.AddLink add) {
      rtnl.link(add.link().name()).ifPresent(l -> indices.put(l.name(), l.index()));
    }
  }

  /** What shall be gone and is gone already. */
  private static boolean harmless(Change change, NetlinkException e) {
    return change.removes() && e.isAbsent();
  }

  private static String text(NetlinkException e) {
    return String.valueOf(e.getMessage());
  }

  private static boolean isEntry(Change change) {
    return switch (change) {
      case Change.AddAddress _,
          Change.DeleteAddress _,
          Change.PutNeighbor _,
          Change.DeleteNeighbor _,
          Change.PutFdb _,
          Change.DeleteFdb _,
          Change.PutRoute _,
          Change.DeleteRoute _ ->
          true;
      case Change.AddLink _,
          Change.AddVeth _,
          Change.SetMtu _,
          Change.SetMac _,
          Change.SetMaster _,
          Change.SetUp _,
          Change.DeleteLink _,
          Change.PutSetting _ ->
          false;
    };
  }

  private Request request(Change change) {
    return switch (change) {
      case Change.AddLink add -> addLink(add.link());
      case Change.AddVeth add -> addVeth(add);
      case Change.SetMtu set -> setLink(set.link(), new Mtu(set.mtu()));
      case Change.SetMac set -> setLink(set.link(), new Mac(set.mac()));
      case Change.SetMaster set -> setLink(set.link(), new Master(index(set.master())));
      case Change.SetUp set -> setLink(set.link(), new Up(true));
      case Change.DeleteLink delete -> Request.deleteLink(index(delete.link()));
      case Change.PutSetting put ->
          setLink(put.setting().link(), new Ipv4(setting(put.setting().name()), 1));
      case Change.AddAddress add -> address(add.address()).add();
      case Change.DeleteAddress delete -> address(delete.address()).delete();
      case Change.PutNeighbor put -> neighbor(put.neighbor()).put();
      case Change.DeleteNeighbor delete -> neighbor(delete.neighbor()).delete();
      case Change.PutFdb put -> entry(put.entry()).put();
      case Change.DeleteFdb delete -> entry(delete.entry()).delete();
      case Change.PutRoute put -> route(put.route()).put();
      case Change.DeleteRoute delete -> route(delete.route()).delete();
    };
  }

  private Request setLink(String link, io.flannelvlan.netlink.LinkSetting setting) {
    return Request.setLink(index(link), List.of(setting));
  }

  private Request addLink(KernelLink link) {
    return link.kind() instanceof KernelLink.Vxlan vxlan
        ? Request.addVxlan(link.name(), tunnel(vxlan), settings(link))
        : Request.addBridge(link.name(), settings(link));
  }

  private Tunnel tunnel(KernelLink.Vxlan vxlan) {
    Tunnel tunnel =
        Tunnel.unicast(
            vxlan.vni(), index(vxlan.underlay()), vxlan.local().orElseThrow(), vxlan.port());
    tunnel = vxlan.learning() ? tunnel.with(Tunnel.Flag.LEARNING) : tunnel;
    return vxlan.gbp() ? tunnel.with(Tunnel.Flag.GBP) : tunnel;
  }

  private Request addVeth(Change.AddVeth add) {
    return Request.addVeth(
        add.hostEnd().name(),
        settings(add.hostEnd()),
        add.peerName(),
        List.of(new Mac(add.peerMac()), new Mtu(add.hostEnd().mtu())));
  }

  private List<io.flannelvlan.netlink.LinkSetting> settings(KernelLink link) {
    List<io.flannelvlan.netlink.LinkSetting> all = new ArrayList<>();
    link.mac().ifPresent(mac -> all.add(new Mac(mac)));
    all.add(new Mtu(link.mtu()));
    link.master().ifPresent(master -> all.add(new Master(index(master))));
    if (link.kind() instanceof KernelLink.Vxlan) {
      // As flanneld's own: a tunnel queues nothing, the underlay does.
      all.add(new QueueLength(0));
    }
    all.add(new Group(Mark.GROUP));
    all.add(new Alias(link.alias()));
    all.add(new Up(true));
    return all;
  }

  private Entry address(LinkAddress address) {
    return Address.global(index(address.link()), address.address());
  }

  private Entry neighbor(LinkNeighbor neighbor) {
    return Neighbor.permanent(index(neighbor.link()), neighbor.address(), neighbor.mac());
  }

  private Entry entry(LinkFdb entry) {
    return FdbEntry.permanent(index(entry.link()), entry.mac(), entry.destination());
  }

  private Entry route(KernelRoute route) {
    int link = index(route.link());
    Route kernel =
        route.onlink()
            ? Route.onlink(route.destination(), route.gateway().orElseThrow(), link)
            : Route.via(route.destination(), route.gateway().orElseThrow(), link);
    return kernel.withProtocol(route.protocol());
  }

  private int index(String name) {
    Integer index = indices.get(name);
    if (index == null) {
      throw new MissingLinkException("there is no link " + name);
    }
    return index;
  }

  private static String name(Map<Integer, String> names, int index) {
    return names.getOrDefault(index, "#" + index);
  }

  private static Ipv4Setting setting(LinkSetting.Name name) {
    return switch (name) {
      case FORWARDING -> Ipv4Setting.FORWARDING;
      case ROUTE_LOCALNET -> Ipv4Setting.ROUTE_LOCALNET;
    };
  }

  @Override
  public void close() {
    rtnl.close();
  }

  /** A step on a link that the dump did not show; usually because making it failed just before. */
  private static final class MissingLinkException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MissingLinkException(String message) {
      super(message);
    }
  }
}
