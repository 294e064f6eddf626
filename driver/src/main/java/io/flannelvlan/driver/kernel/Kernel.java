package io.flannelvlan.driver.kernel;

import io.flannelvlan.firewall.PortGroup;
import io.flannelvlan.netlink.Address;
import io.flannelvlan.netlink.Entry;
import io.flannelvlan.netlink.FdbEntry;
import io.flannelvlan.netlink.Ipv4Setting;
import io.flannelvlan.netlink.LinkSetting.Alias;
import io.flannelvlan.netlink.LinkSetting.Group;
import io.flannelvlan.netlink.LinkSetting.GroupForward;
import io.flannelvlan.netlink.LinkSetting.Hairpin;
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
import io.flannelvlan.netlink.Rtnl;
import io.flannelvlan.netlink.Tunnel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** Our links with {@code route_localnet} switched on, by index. */
  private final Set<Integer> localnets = new HashSet<>();

  public Kernel(Rtnl rtnl) {
    this.rtnl = rtnl;
  }

  /**
   * One look at everything that a plan compares.
   *
   * @throws NetlinkException if the kernel does not give it
   */
  public KernelState dump() {
    KernelDump dump = KernelDump.of(rtnl);
    indices.clear();
    indices.putAll(dump.indices());
    localnets.clear();
    dump.state().settings().stream()
        .filter(s -> dump.state().link(s.link()).filter(Mark::isOurs).isPresent())
        .forEach(this::remember);
    return dump.state();
  }

  private void remember(LinkSetting setting) {
    if (setting.name() == LinkSetting.Name.ROUTE_LOCALNET) {
      localnets.add(index(setting.link()));
    }
  }

  /**
   * Whether somebody switched off what the kernel tells nobody of; a request for each of our
   * bridges, so much less than a dump.
   */
  boolean lostSettingQuietly() {
    return localnets.stream()
        .flatMap(index -> rtnl.link(index).stream())
        .anyMatch(link -> !setting(LinkSetting.Name.ROUTE_LOCALNET).holdsFor(link));
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
      } catch (MissingLinkException | IllegalArgumentException e) {
        // The second: a value that no message can carry, such as an alias that is too long. It is
        // this VLAN's, and the others' steps are as good as ever.
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
        learn(change);
      }
    }
    return errors;
  }

  /** Later steps of the same plan speak of a new bridge or tunnel; of a veth none does. */
  private void learn(Change change) {
    if (change instanceof Change.AddLink add) {
      rtnl.link(add.link().name()).ifPresent(l -> indices.put(l.name(), l.index()));
    } else if (change instanceof Change.PutSetting put) {
      remember(put.setting());
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
          Change.SetGroup _,
          Change.SetAlias _,
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
      case Change.SetGroup set -> setLink(set.link(), new Group(set.group()));
      case Change.SetAlias set -> setLink(set.link(), new Alias(set.alias()));
      case Change.SetUp set -> setLink(set.link(), new Up(true));
      case Change.DeleteLink delete -> Request.deleteLink(index(delete.link()));
      case Change.PutSetting put -> setLink(put.setting().link(), setting(put.setting().name()));
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
    all.add(new Group(link.group()));
    all.add(new Alias(link.alias()));
    if (link.kind() instanceof KernelLink.Veth) {
      all.add(setting(LinkSetting.Name.HAIRPIN));
      if (PortGroup.vni(link.group()).isPresent()) {
        all.add(setting(LinkSetting.Name.GROUP_FORWARD));
      }
    }
    all.add(new Up(true));
    return all;
  }

  private Entry address(LinkAddress address) {
    Address plain = Address.global(index(address.link()), address.address());
    return address.labelled() ? plain.labelled(Mark.label(address.link())) : plain;
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

  static io.flannelvlan.netlink.LinkSetting setting(LinkSetting.Name name) {
    return switch (name) {
      case FORWARDING -> new Ipv4(Ipv4Setting.FORWARDING, 1);
      case ROUTE_LOCALNET -> new Ipv4(Ipv4Setting.ROUTE_LOCALNET, 1);
      // With br_netfilter, a container reaches its own published port only so.
      case HAIRPIN -> new Hairpin(true);
      // 01:80:c2:00:00:0e, LLDP's: of the others a hook sees what comes in.
      case GROUP_FORWARD -> new GroupForward(1 << 0x0e);
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
