package io.flannelvlan.driver.kernel;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.netlink.Address;
import io.flannelvlan.netlink.Link;
import io.flannelvlan.netlink.LinkSetting.Name;
import io.flannelvlan.netlink.LinkSetting.Up;
import io.flannelvlan.netlink.Namespace;
import io.flannelvlan.netlink.NetlinkException;
import io.flannelvlan.netlink.Request;
import io.flannelvlan.netlink.Route;
import io.flannelvlan.netlink.Rtnl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;

/**
 * A network namespace of somebody else's, into which we put the end of a veth pair: for a CNI
 * runtime what dockerd does itself.
 *
 * <p>The kernel waits 15 to 27 ms for its readers while a link moves. So each visit has a platform
 * thread of its own, since a virtual one would keep its carrier for that long.
 */
public record Sandbox(Path netns) {

  private static final Path OWN = Path.of("/proc/self/ns/net");
  private static final Cidr ANYWHERE = Cidr.parse("0.0.0.0/0");

  /**
   * A link that is to be there.
   *
   * @param range reached through the bridge, beside the default route
   * @param defaultRoute whether all else is, too
   */
  public record Wanted(
      String ifname, InterfaceAddress address, Cidr range, IpAddress bridge, boolean defaultRoute) {

    private List<Route> routes(int link) {
      Route toVlan = Route.via(range, bridge, link);
      return defaultRoute ? List.of(toVlan, Route.via(ANYWHERE, bridge, link)) : List.of(toVlan);
    }
  }

  /** A link that is there. */
  public record Seen(MacAddress mac, boolean up, Set<InterfaceAddress> addresses) {

    public Seen {
      addresses = Set.copyOf(addresses);
    }
  }

  /** Whether it is there at all, and a network namespace other than this host's. */
  public boolean exists() {
    Optional<Inode> own = Inode.of(OWN);
    return Inode.of(netns)
        .filter(other -> own.filter(other::isAnotherBeside).isPresent())
        .isPresent();
  }

  /** The files of all namespaces are on one file system of their own, where numbers differ. */
  private record Inode(Object device, Object number) {

    static Optional<Inode> of(Path file) {
      try {
        return Optional.of(
            new Inode(Files.getAttribute(file, "unix:dev"), Files.getAttribute(file, "unix:ino")));
      } catch (IOException _) {
        return Optional.empty();
      }
    }

    boolean isAnotherBeside(Inode other) {
      return device.equals(other.device) && !number.equals(other.number);
    }
  }

  /**
   * Moves the link from the host's namespace, names it, sets it up and gives it address and routes.
   *
   * @throws NetlinkException if that name is taken ({@link NetlinkException#isExists}), or the
   *     kernel refuses otherwise; the link may be there by then
   */
  public void take(String link, Wanted wanted) {
    visit(() -> {
      try (Namespace there = Namespace.open(netns);
          Rtnl host = Rtnl.open();
          Rtnl inside = Rtnl.openIn(netns)) {
        int index =
            host.link(link)
                .map(Link::index)
                .orElseThrow(() -> new IllegalStateException("link " + link + " is gone"));
        host.run(Request.moveLink(index, there));
        int moved =
            inside
                .link(link)
                .map(Link::index)
                .orElseThrow(() -> new IllegalStateException("link " + link + " is gone"));
        inside.set(moved, List.of(new Name(wanted.ifname())));
        inside.put(Address.global(moved, wanted.address()));
        inside.set(moved, List.of(new Up(true)));
        wanted.routes(moved).forEach(inside::put);
        return moved;
      }
    });
  }

  /** The link of that name, if there is one. */
  public Optional<Seen> look(String ifname) {
    return visit(() -> {
      try (Rtnl inside = Rtnl.openIn(netns)) {
        return inside
            .link(ifname)
            .map(link ->
                new Seen(
                    link.mac().orElse(new MacAddress(0)),
                    link.up(),
                    inside.addresses(link.index()).stream()
                        .map(Address::address)
                        .collect(Collectors.toSet())));
      }
    });
  }

  private static <T> T visit(Callable<T> work) {
    FutureTask<T> visit = new FutureTask<>(work);
    Thread.ofPlatform().name("sandbox-visitor").daemon(true).start(visit);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return visit.get();
        } catch (InterruptedException _) {
          // It takes milliseconds, and half of it must not go on unseen.
          interrupted = true;
        }
      }
    } catch (ExecutionException failure) {
      if (failure.getCause() instanceof RuntimeException reason) {
        throw reason;
      }
      throw new IllegalStateException(failure.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public String toString() {
    return netns.toString();
  }
}
