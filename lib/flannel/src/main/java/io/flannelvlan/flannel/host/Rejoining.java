package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.journal.Table;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** What a host that joins a VLAN has there already: by etcd, and by what it remembers. */
final class Rejoining {

  private final Table<Remembered> remembered;
  private final Departures departures;
  private final PlainSubnets plain;
  private final RandomGenerator random;

  Rejoining(
      Table<Remembered> remembered,
      Departures departures,
      PlainSubnets plain,
      RandomGenerator random) {
    this.remembered = remembered;
    this.departures = departures;
    this.plain = plain;
    this.random = random;
  }

  /**
   * With the subnet that it asks for alone.
   *
   * @param standing the leases at its address
   */
  HostVlan with(Vlan vlan, Cidr subnet, IpAddress publicAddress, List<Lease> standing) {
    return new HostVlan(
        vlan.name(),
        vlan.config(),
        List.of(subnet),
        vtepMac(vlan, standing),
        publicAddress,
        List.of(),
        Optional.empty());
  }

  /** The one the peers know already, if they do; else the one from before; else a new one. */
  private MacAddress vtepMac(Vlan vlan, List<Lease> standing) {
    return standing.stream()
        .flatMap(lease -> lease.attributes().vtepMac().stream())
        .findFirst()
        .or(() -> remembered.get(vlan.name()).map(Remembered::vtepMac))
        .orElseGet(() -> MacAddress.random(random));
  }

  /** With the leases that a lost journal knew, so that their addresses are had back at once. */
  HostVlan whole(HostVlan first, Leases leases) {
    HostVlan all = first;
    for (Lease lease : leases.of(first.publicAddress())) {
      if (!all.leased().contains(lease.subnet())
          && all.isKnownAs(lease)
          && !departures.concerns(all.name(), lease.subnet())) {
        all = plain.with(all, lease.subnet());
      }
    }
    return plain.named(all, leases, remembered.get(all.name()).flatMap(Remembered::plain));
  }
}
