package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.BrokenEntry;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Every lease by which a host of a VLAN may have containers: those in etcd, and those that it lost
 * without anybody's ending them. What lies in none of them is nobody's any more.
 *
 * @param unreadable subnets whose keys do not say whose they are
 */
public record StandingLeases(List<Lease> leases, List<Cidr> unreadable) {

  public StandingLeases {
    leases = List.copyOf(leases);
    unreadable = List.copyOf(unreadable);
  }

  static StandingLeases of(Leases shown, List<Lease> peers) {
    List<Lease> all = new ArrayList<>(shown.bySubnet().values());
    all.addAll(peers);
    return new StandingLeases(
        all, shown.broken().stream().map(BrokenEntry::claim).flatMap(Optional::stream).toList());
  }

  /** Whether the address lies in a lease, whoever has it. */
  public boolean hold(IpAddress address) {
    return leases.stream().anyMatch(lease -> lease.subnet().contains(address))
        || isUnreadable(address);
  }

  /** Whether the address lies in a lease of that host. */
  public boolean hold(IpAddress address, IpAddress host) {
    return leases.stream()
            .anyMatch(lease -> lease.isHeldBy(host) && lease.subnet().contains(address))
        || isUnreadable(address);
  }

  private boolean isUnreadable(IpAddress address) {
    return unreadable.stream().anyMatch(subnet -> subnet.contains(address));
  }
}
