package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.LinkSetting.Alias;
import io.flannelvlan.netlink.LinkSetting.Group;
import io.flannelvlan.netlink.LinkSetting.Ipv4;
import io.flannelvlan.netlink.LinkSetting.Ipv6;
import io.flannelvlan.netlink.LinkSetting.Mac;
import io.flannelvlan.netlink.LinkSetting.Master;
import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.Name;
import io.flannelvlan.netlink.LinkSetting.Up;
import io.flannelvlan.netlink.Tunnel.Flag;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Links made here are what {@code ip -j -d} shows, and the other way round. */
class RtnlLinksIT {

  private static final MacAddress MAC = MacAddress.parse("02:00:00:00:00:01");
  private static final IpAddress LOCAL = IpAddress.parse("198.51.100.11");

  private final TestingNamespace namespace = new TestingNamespace();
  private final Rtnl rtnl = Rtnl.openIn(namespace.path());

  @AfterEach
  void close() {
    rtnl.close();
    namespace.close();
  }

  @Test
  void bridgeKeepsItsMtuWhenPortsComeAndGo() {
    int bridge = rtnl.addBridge("br0", List.of(new Mtu(1450), new Up(true))).index();
    List<LinkSetting> small = List.of(new Mtu(1400), new Master(bridge));
    int port = rtnl.addVeth("fv0", small, "p", List.of()).index();
    assertThat(rtnl.link("br0").orElseThrow().mtu()).isEqualTo(1450);
    rtnl.deleteLink(port);
    assertThat(rtnl.link("br0").orElseThrow().mtu()).isEqualTo(1450);
  }

  @Test
  void bridgeWithEverySetting() {
    List<LinkSetting> settings =
        List.of(
            new Mac(MAC),
            new Mtu(1450),
            new Group(77),
            new Alias("flannelvlan vlan002"),
            new Ipv6(AddrGenMode.NONE),
            new Ipv4(Ipv4Setting.FORWARDING, 1),
            new Ipv4(Ipv4Setting.RP_FILTER, 2),
            new Ipv4(Ipv4Setting.ROUTE_LOCALNET, 1),
            new Up(true));
    Link link = rtnl.addBridge("br0", settings);

    assertThat(link).isInstanceOf(Link.Bridge.class);
    assertThat(link.missing(settings)).isEmpty();
    JsonNode shown = namespace.first("ip -j -d link show dev br0");
    assertThat(shown.at("/linkinfo/info_kind").asText()).isEqualTo("bridge");
    assertThat(shown.get("address").asText()).isEqualTo(MAC.toString());
    assertThat(shown.get("mtu").asInt()).isEqualTo(1450);
    assertThat(shown.get("group").asText()).isEqualTo("77");
    assertThat(shown.get("ifalias").asText()).isEqualTo("flannelvlan vlan002");
    assertThat(shown.get("inet6_addr_gen_mode").asText()).isEqualTo("none");
    assertThat(shown.get("flags").toString()).contains("\"UP\"");
    assertThat(shown.get("ifindex").asInt()).isEqualTo(link.index());
    assertThat(namespace.run("cat /proc/sys/net/ipv4/conf/br0/rp_filter")).isEqualTo("2\n");
    assertThat(namespace.run("cat /proc/sys/net/ipv4/conf/br0/forwarding")).isEqualTo("1\n");
    assertThat(namespace.run("cat /proc/sys/net/ipv4/conf/br0/route_localnet")).isEqualTo("1\n");
  }

  @Test
  void everyIpv4SettingIsTheSysctlOfThatName() {
    Link link = rtnl.addBridge("br0", List.of());
    for (Ipv4Setting setting : Ipv4Setting.values()) {
      String file = "/proc/sys/net/ipv4/conf/br0/" + setting;
      int other = link.ipv4().get(setting).orElseThrow() == 0 ? 1 : 0;
      rtnl.set(link.index(), List.of(new Ipv4(setting, other)));
      assertThat(namespace.run("cat " + file)).as(file).isEqualTo(other + "\n");
    }
  }

  @Test
  void vethPairInOneRequest() {
    Link bridge = rtnl.addBridge("br0", List.of(new Up(true)));
    List<LinkSetting> host =
        List.of(new Mtu(1400), new Master(bridge.index()), new Alias("endpoint 7"), new Up(true));
    Link link = rtnl.addVeth("fv0", host, "fv0p", List.of(new Mac(MAC), new Mtu(1400)));

    Link peer = rtnl.link("fv0p").orElseThrow();
    assertThat(link).isEqualTo(new Link.Veth(link.common(), peer.index(), OptionalInt.empty()));
    assertThat(peer).isEqualTo(new Link.Veth(peer.common(), link.index(), OptionalInt.empty()));
    assertThat(link.missing(host)).isEmpty();
    assertThat(peer.mac()).contains(MAC);
    assertThat(peer.up()).isFalse();
    JsonNode shown = namespace.first("ip -j -d link show dev fv0");
    assertThat(shown.get("master").asText()).isEqualTo("br0");
    assertThat(shown.get("link").asText()).isEqualTo("fv0p");
    assertThat(shown.get("ifalias").asText()).isEqualTo("endpoint 7");
    assertThat(rtnl.ports(bridge.index())).extracting(Link::name).containsExactly("fv0");
    // An MTU given at creation does not count as set: the bridge still follows its ports.
    assertThat(namespace.first("ip -j link show dev br0").get("mtu").asInt()).isEqualTo(1400);
  }

  @Test
  void vxlanWithEverySetting() {
    Link underlay = rtnl.addVeth("eth0", List.of(new Up(true)), "wire", List.of());
    Tunnel tunnel = Tunnel.unicast(new Vni(2), underlay.index(), LOCAL, 8472);
    Link link =
        rtnl.addVxlan(
            "flannel.2",
            tunnel,
            List.of(new Mac(MAC), new Mtu(1450), new Alias("vlan002"), new Up(true)));

    assertThat(link).isEqualTo(new Link.Vxlan(link.common(), tunnel));
    JsonNode data = namespace.first("ip -j -d link show dev flannel.2").at("/linkinfo/info_data");
    assertThat(data.get("id").asInt()).isEqualTo(2);
    assertThat(data.get("link").asText()).isEqualTo("eth0");
    assertThat(data.get("local").asText()).isEqualTo("198.51.100.11");
    assertThat(data.get("port").asInt()).isEqualTo(8472);
    assertThat(data.get("learning").asBoolean()).isFalse();
    assertThat(data.has("group")).isFalse();

    Tunnel other =
        Tunnel.unicast(new Vni(3), underlay.index(), LOCAL, 8473)
            .with(Flag.GBP)
            .with(Flag.LEARNING);
    assertThat(rtnl.addVxlan("flannel.3", other, List.of()))
        .isInstanceOfSatisfying(
            Link.Vxlan.class, vxlan -> assertThat(vxlan.tunnel()).isEqualTo(other));
    assertThat(namespace.run("ip -d link show dev flannel.3"))
        .contains(" gbp ")
        .doesNotContain("nolearning");
  }

  @Test
  void duplicateVniIsRefusedInTheKernelsWords() {
    Tunnel tunnel =
        Tunnel.unicast(
            new Vni(2), rtnl.addVeth("eth0", List.of(), "wire", List.of()).index(), LOCAL, 8472);
    rtnl.addVxlan("flannel.2", tunnel, List.of());

    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> rtnl.addVxlan("flannel.3", tunnel, List.of()))
        .withMessageStartingWith("ip link add flannel.3 type vxlan id 2 dev #")
        .withMessageEndingWith(
            ": File exists (EEXIST): A VXLAN device with the specified VNI already exists")
        .matches(NetlinkException::isExists);
  }

  @Test
  void foreignLinkOfTheSameNameKeepsItsAlias() {
    namespace.run("ip link add br0 type bridge");
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> rtnl.addBridge("br0", List.of(new Alias("ours"))))
        .matches(NetlinkException::isExists);
    assertThat(rtnl.link("br0").orElseThrow().alias()).isEmpty();
  }

  @Test
  void thePeerCannotBeUpBeforeItHasAnotherEnd() {
    List<LinkSetting> up = List.of(new Up(true));
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> rtnl.addVeth("fv0", up, "fv0p", up))
        .matches(refusal -> refusal.errno() == Errno.ENOTCONN);
    assertThat(rtnl.link("fv0")).isEmpty();
  }

  @Test
  void changesOfALink() {
    Link bridge = rtnl.addBridge("br0", List.of());
    Link link = rtnl.addVeth("fv0", List.of(), "fv0p", List.of());
    List<List<LinkSetting>> steps =
        List.of(
            List.of(new Mac(MAC), new Mtu(1300), new Alias("a"), new Name("fv1")),
            List.of(new Master(bridge.index()), new Up(true)),
            List.of(new Master(0), new Up(false), new Alias("")));
    for (List<LinkSetting> step : steps) {
      assertThat(rtnl.link(link.index()).orElseThrow().missing(step)).isEqualTo(step);
      rtnl.set(link.index(), step);
      assertThat(rtnl.link(link.index()).orElseThrow().missing(step)).isEmpty();
    }
    assertThat(namespace.run("ip link show dev fv1")).doesNotContain("alias", "master");
  }

  @Test
  void absentLinksAreEmptyAndDeletingThemIsNoError() {
    assertThat(rtnl.link("nowhere")).isEmpty();
    assertThat(rtnl.link(4711)).isEmpty();
    assertThat(rtnl.deleteLink(4711)).isFalse();
    assertThat(rtnl.ports(4711)).isEmpty();
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> rtnl.set(4711, List.of(new Up(true))))
        .matches(NetlinkException::isAbsent);
  }

  @Test
  void linksAreDeletedOneByOneAndByGroup() {
    Link bridge = rtnl.addBridge("br0", List.of());
    for (int i = 0; i < 10; i++) {
      rtnl.addVeth("fv" + i, List.of(new Group(99)), "p" + i, List.of());
    }
    assertThat(rtnl.links()).hasSize(1 + 1 + 20);
    assertThat(rtnl.deleteLink(bridge.index())).isTrue();
    rtnl.run(Request.deleteLinks(99));
    assertThat(rtnl.links()).extracting(Link::name).containsExactly("lo");
    assertThat(namespace.json("ip -j link show")).hasSize(1);
  }

  @Test
  void aLinkMovesToAnotherNamespaceAndIsNamedThere() {
    try (TestingNamespace other = new TestingNamespace();
        Namespace target = Namespace.open(other.path());
        Rtnl there = Rtnl.openIn(other.path())) {
      Link link = rtnl.addVeth("fv0", List.of(), "fv0p", List.of());
      there.addBridge("eth0", List.of());
      rtnl.run(Request.moveLink(rtnl.link("fv0p").orElseThrow().index(), target));
      assertThat(rtnl.link("fv0p")).isEmpty();
      int arrived = there.link("fv0p").orElseThrow().index();
      assertThatThrownBy(() -> there.set(arrived, List.of(new Name("eth0"))))
          .isInstanceOfSatisfying(
              NetlinkException.class, refusal -> assertThat(refusal.isExists()).isTrue());
      there.set(arrived, List.of(new Name("eth1")));
      Link moved = there.link("eth1").orElseThrow();
      assertThat(rtnl.link("fv0"))
          .get()
          .isInstanceOfSatisfying(
              Link.Veth.class,
              veth -> {
                assertThat(veth.peer()).isEqualTo(moved.index());
                assertThat(veth.peerNamespace()).isPresent();
              });
      assertThat(((Link.Veth) moved).peer()).isEqualTo(link.index());
    }
  }
}
