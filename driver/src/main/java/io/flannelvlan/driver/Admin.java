package io.flannelvlan.driver;

import io.flannelvlan.cni.Call;
import io.flannelvlan.cni.Cni;
import io.flannelvlan.dockerplugin.AdminApi;
import io.flannelvlan.driver.shared.NetworkChoice;
import io.flannelvlan.driver.shared.SharedNetwork;
import io.flannelvlan.driver.shared.SharedNetworks;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.flannel.host.PlainSubnet;
import io.flannelvlan.ipam.Refusals;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What people ask of the daemon. */
record Admin(
    VlanStore store,
    SharedNetworks shared,
    Networks networks,
    HostVlans here,
    NetworkChoice choice,
    SharedNetworkKeeper keeper,
    Removal removal,
    Attachments attachments,
    Cni cni)
    implements AdminApi {

  private static final String LINE = "%-16s %8s  %-18s %5s  %s%n";

  @Override
  public String vlans() {
    return Refusals.of(() -> {
      StringBuilder table = new StringBuilder();
      table.append(LINE.formatted("VLAN", "VNI", "RANGE", "HOSTS", "ON THIS HOST"));
      for (Vlan vlan : store.list().byName().values()) {
        long hosts =
            store.leases(vlan).bySubnet().values().stream().map(Lease::publicIp).distinct().count();
        table.append(
            LINE.formatted(vlan.name(), vlan.vni(), vlan.range(), hosts, here(vlan.name())));
      }
      return table.toString();
    });
  }

  private String here(String vlan) {
    List<Network> own = networks.all().stream().filter(n -> n.vlan().equals(vlan)).toList();
    if (!own.isEmpty()) {
      return Stream.concat(own.stream().map(Admin::words), plain(vlan))
          .collect(Collectors.joining(", "));
    }
    return keeper.delay(vlan).map(reason -> "no: " + reason).orElseGet(() -> whyNot(vlan));
  }

  private static String words(Network network) {
    return CniNetworks.isOne(network.id())
        ? "CNI"
        : "network " + network.id().substring(0, Math.min(12, network.id().length()));
  }

  /** A plain dockerd, or whatever else has the subnet that is set aside. */
  private Stream<String> plain(String vlan) {
    return here.byName(vlan).stream()
        .flatMap(host -> host.plain().stream())
        .filter(PlainSubnet::leased)
        .map(plain -> "plain " + plain.subnet());
  }

  private String whyNot(String vlan) {
    return switch (shared.get(vlan).orElse(null)) {
      case SharedNetwork.Removed removed -> "no: removed everywhere by host " + removed.by();
      case SharedNetwork.Unreadable unreadable ->
          "no: its key in etcd can't be read: " + unreadable.reason();
      case SharedNetwork.Described described when !described.everywhere() ->
          "no: made with everywhere=false";
      case null, default ->
          choice.includes(vlan) ? "no: removed on this host" : "no: left out by NETWORKS";
    };
  }

  @Override
  public String attach(Attach attach) {
    return Refusals.of(() -> attachments.attach(attach));
  }

  @Override
  public String detach(String target, String vlan) {
    return Refusals.of(() -> attachments.detach(target, vlan));
  }

  @Override
  public CniAnswer cni(byte[] bytes) {
    Call call = Call.parse(bytes);
    Cni.Answer answer = cni.answer(call.variables(), call.conf());
    return new CniAnswer(answer.ok(), answer.text());
  }

  @Override
  public String remove(String vlan) {
    return Refusals.of(() -> removal.remove(vlan));
  }
}
