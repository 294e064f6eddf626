package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.LeaseAttributes;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A VLAN that this host takes part in; the journal's record.
 *
 * @param subnets this host's leases in the order they were taken; the first one's gateway is the
 *     one that dockerd knows
 * @param vtepMac MAC of this host's vxlan link, the same for as long as the VLAN is here
 * @param publicAddress where the peers send to
 * @param formerAddresses where they sent to before, the newest first: etcd may still name them
 * @param plain the subnet that is set aside for others than us; none of {@code subnets}
 */
public record HostVlan(
    String name,
    NetworkConfig config,
    List<Cidr> subnets,
    MacAddress vtepMac,
    IpAddress publicAddress,
    List<IpAddress> formerAddresses,
    Optional<PlainSubnet> plain) {

  /** A host seldom moves, and what it left in etcd is set right when etcd is back. */
  private static final int FORMER_KEPT = 32;

  /**
   * As the journal has it.
   *
   * @param formerAddresses absent in what an older version wrote, as is {@code plain}
   */
  public HostVlan(
      String name,
      NetworkConfig config,
      List<Cidr> subnets,
      MacAddress vtepMac,
      IpAddress publicAddress,
      @Nullable List<IpAddress> formerAddresses,
      Optional<PlainSubnet> plain) {
    this.name = name;
    this.config = config;
    this.subnets = List.copyOf(subnets);
    this.vtepMac = vtepMac;
    this.publicAddress = publicAddress;
    this.formerAddresses = formerAddresses == null ? List.of() : List.copyOf(formerAddresses);
    this.plain = plain;
  }

  public Cidr range() {
    return config.range();
  }

  public Vni vni() {
    return config.backend().vni();
  }

  public Vlan vlan() {
    return new Vlan(name, config);
  }

  /**
   * Whether the lease is this host's: by its address, as flannel has it; for an address of before,
   * which may be another host's by now, the MAC must be ours too.
   */
  public boolean owns(Lease lease) {
    return lease.isHeldBy(publicAddress)
        || (formerAddresses.contains(lease.publicIp())
            && lease.attributes().vtepMac().filter(vtepMac::equals).isPresent());
  }

  /** Whether the lease is this host's beyond doubt: nobody else made up this MAC. */
  boolean isKnownAs(Lease lease) {
    return owns(lease)
        && lease.attributes().vtepMac().equals(Optional.of(vtepMac))
        && range().contains(lease.subnet());
  }

  /** Whether this host is, or was, found at the address. */
  public boolean isAt(IpAddress address) {
    return publicAddress.equals(address) || formerAddresses.contains(address);
  }

  LeaseAttributes attributes() {
    return LeaseAttributes.vxlan(publicAddress, vni(), vtepMac);
  }

  /** Every subnet of which this host has the lease. */
  List<Cidr> leased() {
    return Stream.concat(
            subnets.stream(), plain.stream().filter(PlainSubnet::leased).map(PlainSubnet::subnet))
        .toList();
  }

  /** This host's leases, as they shall stand in etcd. */
  List<Lease> leases() {
    return leased().stream().map(subnet -> new Lease(subnet, attributes())).toList();
  }

  /** With one more subnet of our own; one that was only set aside is that no more. */
  HostVlan with(Cidr subnet) {
    List<Cidr> more = new ArrayList<>(subnets);
    more.add(subnet);
    Optional<PlainSubnet> other = plain.filter(p -> !p.subnet().equals(subnet));
    return new HostVlan(name, config, more, vtepMac, publicAddress, formerAddresses, other);
  }

  HostVlan withPlain(Optional<PlainSubnet> other) {
    return new HostVlan(name, config, subnets, vtepMac, publicAddress, formerAddresses, other);
  }

  HostVlan at(IpAddress address) {
    List<IpAddress> former = new ArrayList<>(formerAddresses);
    former.remove(address);
    former.addFirst(publicAddress);
    return found(address, former);
  }

  /** With one more address of before. */
  HostVlan formerlyAt(IpAddress address) {
    if (isAt(address)) {
      return this;
    }
    List<IpAddress> former = new ArrayList<>(formerAddresses);
    former.addFirst(address);
    return found(publicAddress, former);
  }

  private HostVlan found(IpAddress address, List<IpAddress> former) {
    List<IpAddress> kept = former.subList(0, Math.min(former.size(), FORMER_KEPT));
    return new HostVlan(name, config, subnets, vtepMac, address, kept, plain);
  }

  /** Another host's lease in etcd that claims this subnet of ours. */
  Optional<Lease> rival(Leases leases, Cidr subnet) {
    return leases.bySubnet().values().stream()
        .filter(lease -> lease.subnet().overlaps(subnet) && !owns(lease))
        .findFirst();
  }
}
