package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.netlink.Event.AddressChanged;
import io.flannelvlan.netlink.Event.LinkChanged;
import io.flannelvlan.netlink.Event.NeighborChanged;
import io.flannelvlan.netlink.Event.NftablesChanged;
import io.flannelvlan.netlink.Event.Overrun;
import io.flannelvlan.netlink.Event.RouteChanged;
import io.flannelvlan.netlink.Event.SettingChanged;
import io.flannelvlan.netlink.LinkSetting.Master;
import io.flannelvlan.netlink.LinkSetting.Up;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is changed comes back as an event. */
@Timeout(60)
class EventsIT {

  private final TestingNamespace namespace = new TestingNamespace();
  private final Rtnl rtnl = Rtnl.openIn(namespace.path());
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  @AfterEach
  void close() {
    rtnl.close();
    namespace.close();
  }

  @Test
  void changesOfEveryTable() throws InterruptedException {
    try (Events _ = Events.ofLinksIn(namespace.path(), events::add)) {
      int link = rtnl.addBridge("br0", List.of(new Up(true))).index();
      await(new LinkChanged("br0", link, false));
      rtnl.put(Address.global(link, InterfaceAddress.parse("10.2.20.1/24")));
      await(new AddressChanged(link));
      rtnl.put(Neighbor.permanent(link, IpAddress.parse("10.2.20.9"), new MacAddress(2)));
      await(new NeighborChanged(link));
      rtnl.put(Route.direct(Cidr.parse("10.3.0.0/16"), link));
      await(new RouteChanged(OptionalInt.of(link)));
      namespace.run("ip route add blackhole 10.4.0.0/16");
      await(new RouteChanged(OptionalInt.empty()));
      rtnl.deleteLink(link);
      await(new LinkChanged("br0", link, true));
    }
  }

  @Test
  void forwardingSwitchedOfOneLinkAndOfAll() throws InterruptedException {
    int link = rtnl.addBridge("br0", List.of()).index();
    try (Events _ = Events.ofLinksIn(namespace.path(), events::add)) {
      namespace.set("ipv4/conf/br0/forwarding", "1");
      await(new SettingChanged(OptionalInt.of(link)));
      namespace.set("ipv4/ip_forward", "1");
      await(new SettingChanged(OptionalInt.empty()));
      namespace.set("ipv4/ip_forward", "0");
      await(new SettingChanged(OptionalInt.of(link)));
    }
  }

  @Test
  void aPortThatLeavesItsBridgeIsNotDeleted() throws InterruptedException {
    int bridge = rtnl.addBridge("br0", List.of()).index();
    int port = rtnl.addVeth("fv0", List.of(new Master(bridge)), "p", List.of()).index();
    try (Events _ = Events.ofLinksIn(namespace.path(), events::add)) {
      rtnl.set(port, List.of(new Master(0)));
      int last = rtnl.addBridge("last", List.of()).index();
      assertThat(awaitAll(new LinkChanged("last", last, false)))
          .contains(new LinkChanged("fv0", port, false))
          .doesNotContain(new LinkChanged("fv0", port, true));
    }
  }

  @Test
  void nftablesChanges() throws InterruptedException {
    try (Events _ = Events.ofNftablesIn(namespace.path(), events::add)) {
      namespace.run("nft add table inet mine");
      await(new NftablesChanged());
    }
  }

  @Test
  void whatDoesNotFitTheQueueIsAnOverrun() throws InterruptedException {
    CountDownLatch full = new CountDownLatch(1);
    try (Events _ =
        Events.ofLinksIn(
            namespace.path(),
            event -> {
              awaitLatch(full);
              events.add(event);
            })) {
      int link = rtnl.addBridge("br0", List.of()).index();
      List<Request> flood = List.of(up(link, true), up(link, false));
      for (int i = 0; i < 6_000; i++) {
        rtnl.batch(flood);
      }
      full.countDown();
      await(new Overrun());
    }
  }

  @Test
  void closeEndsTheThreadAtOnceAndTwiceIsNoError() {
    for (int i = 0; i < 50; i++) {
      Events subscription = Events.ofLinksIn(namespace.path(), events::add);
      long start = System.nanoTime();
      subscription.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
      subscription.close();
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("netlink-events"));
  }

  private static Request up(int link, boolean up) {
    return Request.setLink(link, List.of(new Up(up)));
  }

  private void await(Event wanted) throws InterruptedException {
    assertThat(awaitAll(wanted)).contains(wanted);
  }

  /** All events up to the wanted one. */
  private List<Event> awaitAll(Event wanted) throws InterruptedException {
    List<Event> seen = new ArrayList<>();
    while (!seen.contains(wanted)) {
      Event event = events.poll(20, TimeUnit.SECONDS);
      assertThat(event).as("events until %s: %s", wanted, seen).isNotNull();
      seen.add(event);
    }
    return seen;
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
