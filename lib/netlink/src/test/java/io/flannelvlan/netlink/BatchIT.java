package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.IpAddress.Family;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.LinkSetting.Alias;
import io.flannelvlan.netlink.LinkSetting.Up;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many requests at once, and dumps while others make changes. */
class BatchIT {

  private static final int PEERS = 2_000;

  private final TestingNamespace namespace = new TestingNamespace();
  private final Rtnl rtnl = Rtnl.openIn(namespace.path());

  @AfterEach
  void close() {
    rtnl.close();
    namespace.close();
  }

  @Test
  void anErrorInTheMiddleHidesNoOther() {
    List<Reply> replies =
        rtnl.batch(
            List.of(
                Request.addBridge("br0", List.of(new Alias("first"))),
                Request.addBridge("br0", List.of(new Alias("second"))),
                Request.deleteLink(4711),
                Request.addBridge("br1", List.of()),
                Request.addBridge("br1", List.of())));

    assertThat(replies.stream().map(reply -> reply.failure().map(NetlinkException::errno)))
        .containsExactly(
            Optional.empty(),
            Optional.of(Errno.EEXIST),
            Optional.of(Errno.ENODEV),
            Optional.empty(),
            Optional.of(Errno.EEXIST));
    assertThat(replies.get(2).failure().orElseThrow())
        .hasMessageStartingWith("ip link del dev #4711: No such device (ENODEV)");
    assertThat(rtnl.link("br0").orElseThrow().alias()).contains("first");
    assertThat(rtnl.link("br1")).isPresent();
  }

  @Test
  void anEmptyBatchDoesNothing() {
    assertThat(rtnl.batch(List.of())).isEmpty();
  }

  /** More verdicts than the smallest receive queue holds, and more than one datagram per dump. */
  @Test
  void thousandsOfPeersInOneBatch() {
    int vxlan = addVxlan();
    List<Request> puts = new ArrayList<>();
    List<Request> deletes = new ArrayList<>();
    for (int i = 0; i < PEERS; i++) {
      for (Entry entry : peer(vxlan, i)) {
        puts.add(entry.put());
        deletes.add(entry.delete());
      }
    }
    assertThat(rtnl.batch(puts)).hasSize(3 * PEERS).allMatch(reply -> reply.failure().isEmpty());
    assertThat(rtnl.fdb(vxlan)).hasSize(PEERS);
    assertThat(rtnl.neighbors(vxlan)).hasSizeGreaterThanOrEqualTo(PEERS);
    assertThat(rtnl.routes(RouteFilter.main(Family.IPV4).ofProtocol(77))).hasSize(PEERS);
    // Where each has failed, the verdicts carry the kernel's words and so are longest.
    List<Request> adds =
        IntStream.range(0, PEERS).mapToObj(i -> peer(vxlan, i).getLast().add()).toList();
    assertThat(rtnl.batch(adds)).hasSize(PEERS).allMatch(BatchIT::existed);
    assertThat(rtnl.batch(deletes)).allMatch(reply -> reply.failure().isEmpty());
    assertThat(rtnl.fdb(vxlan)).isEmpty();
  }

  /**
   * Another thread adds and removes links until the kernel has marked dumps as interrupted. Each
   * list is complete and in itself consistent all the same.
   */
  @Test
  void dumpsAreRepeatedWhenOthersChangeLinks() throws InterruptedException {
    rtnl.batch(
        IntStream.range(0, 150).mapToObj(i -> Request.addBridge("stay" + i, List.of())).toList());
    AtomicBoolean done = new AtomicBoolean();
    Thread churn = Thread.ofPlatform().start(() -> churn(done));
    try (NetlinkSocket socket = NetlinkSocket.openIn(namespace.path())) {
      for (int i = 0; i < 5_000 && socket.interruptions() < 3; i++) {
        List<Link> links =
            socket.dump(
                Message.GETLINK, LinkCodec.all(), message -> Optional.of(LinkCodec.read(message)));
        assertThat(links).extracting(Link::index).doesNotHaveDuplicates();
        assertThat(links).filteredOn(link -> link.name().startsWith("stay")).hasSize(150);
      }
      assertThat(socket.interruptions()).isGreaterThanOrEqualTo(3);
    } finally {
      done.set(true);
      churn.join();
    }
  }

  private void churn(AtomicBoolean done) {
    try (Rtnl other = Rtnl.openIn(namespace.path())) {
      while (!done.get()) {
        Link link = other.addBridge("churn", List.of());
        other.deleteLink(link.index());
      }
    }
  }

  @Test
  void aRefusedRequestThrowsAndTheSocketGoesOn() {
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> rtnl.run(Request.setLink(1, List.of(new LinkSetting.Master(4711)))));
    assertThat(rtnl.links()).hasSize(1);
  }

  private int addVxlan() {
    int underlay = rtnl.addVeth("eth0", List.of(new Up(true)), "wire", List.of()).index();
    Tunnel tunnel = Tunnel.unicast(new Vni(2), underlay, IpAddress.parse("198.51.100.11"), 8472);
    return rtnl.addVxlan("flannel.2", tunnel, List.of(new Up(true))).index();
  }

  private static List<Entry> peer(int vxlan, int number) {
    IpAddress base = IpAddress.parse("10.0.0.0").plus(256L * number);
    MacAddress mac = new MacAddress(0x0200_0000_0000L + number);
    return List.of(
        Neighbor.permanent(vxlan, base, mac),
        FdbEntry.permanent(vxlan, mac, IpAddress.parse("192.0.2.0").plus(number)),
        Route.onlink(new Cidr(base, 24), base, vxlan).withProtocol(77));
  }

  private static boolean existed(Reply reply) {
    return reply.failure().filter(NetlinkException::isExists).isPresent();
  }
}
