package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.VlanStore;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * When Docker's own IPAM may number the containers of a network: it gives out the same addresses on
 * every host, and knows nothing of ours.
 *
 * @param networks this host's
 * @param host this host's public address
 */
record DockersIpam(Collection<Network> networks, VlanStore store, Supplier<IpAddress> host) {

  /**
   * Refuses a network of Docker's own IPAM unless the pool is this host's alone, and Docker's alone
   * on this host.
   *
   * @param joined the VLAN if this host is in it already
   * @throws Refused with the commands that are right
   */
  void requireSafe(IpamData data, Vlan vlan, Optional<HostVlan> joined) {
    Cidr subnet = data.pool();
    if (joined.isPresent()) {
      requireDockersAlone(joined.get(), subnet);
    } else {
      requireFree(vlan, subnet);
    }
    IpAddress gateway = subnet.base().plus(1);
    if (data.gateway().isPresent() && !data.gateway().get().address().equals(gateway)) {
      throw new Refused(
          "--gateway "
              + data.gateway().get().address()
              + " can't be: the gateway of "
              + subnet
              + " is its first address, "
              + gateway
              + ". Leave out --gateway");
    }
  }

  /**
   * Refuses a network of our IPAM beside one of Docker's, which would give out again what ours
   * gave.
   */
  void requireNone(Vlan vlan) {
    dockers(vlan)
        .ifPresent(network -> {
          throw new Refused(
              "VLAN "
                  + vlan
                  + " is in use here by network "
                  + network.id()
                  + " with Docker's own IPAM, which would not know of flannelvlan's addresses:"
                  + " use that network, or remove it first");
        });
  }

  private void requireDockersAlone(HostVlan joined, Cidr subnet) {
    Vlan vlan = joined.vlan();
    Optional<Network> dockers = dockers(vlan);
    if (dockers.isEmpty()) {
      throw new Refused(
          "VLAN "
              + vlan
              + " is in use here with flannelvlan's own IPAM, which Docker's would not know of."
              + " Use: "
              + DockerCommands.withOurIpam(vlan));
    }
    if (!joined.subnets().contains(subnet)) {
      throw new Refused(
          "this host has "
              + joined.subnets().getFirst()
              + " of VLAN "
              + vlan
              + ", in use by network "
              + dockers.get().id()
              + " with Docker's own IPAM: use that network, or remove it and then use: "
              + DockerCommands.withOurIpam(vlan));
    }
  }

  private void requireFree(Vlan vlan, Cidr subnet) {
    Leases leases = store.leases(vlan);
    if (!vlan.config().layout().allows(subnet)) {
      throw new Refused(
          "without --ipam-driver flannelvlan, --subnet must be one /"
              + vlan.config().layout().subnetLen()
              + " of VLAN "
              + vlan
              + " for this host alone, and "
              + subnet
              + " is none. Use: "
              + commands(vlan, leases));
    }
    leases
        .at(subnet)
        .filter(lease -> !lease.isHeldBy(host.get()))
        .ifPresent(lease -> {
          throw new Refused(
              subnet + " is host " + lease.publicIp() + "'s. Use: " + commands(vlan, leases));
        });
  }

  private Optional<Network> dockers(Vlan vlan) {
    return networks.stream()
        .filter(network -> network.vlan().equals(vlan.name()) && network.dockersIpam())
        .findFirst();
  }

  /** With our IPAM, and with Docker's and a subnet that this host has or can have. */
  private String commands(Vlan vlan, Leases leases) {
    SubnetLayout layout = vlan.config().layout();
    Set<Cidr> taken = leases.holders().keySet();
    Stream<Cidr> own = leases.of(host.get()).stream().map(Lease::subnet).filter(layout::allows);
    Stream<Cidr> free =
        Stream.iterate(layout.subnetOf(layout.subnetMin()), layout::allows, Cidr::next)
            .filter(subnet -> taken.stream().noneMatch(subnet::overlaps));
    return DockerCommands.withOurIpam(vlan)
        + Stream.concat(own, free)
            .findFirst()
            .map(subnet -> "  or: " + DockerCommands.withDockersIpam(vlan, subnet))
            .orElse("");
  }
}
