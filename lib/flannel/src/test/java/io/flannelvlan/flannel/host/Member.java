package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** A host of the VLAN, with its own way to etcd. */
final class Member implements AutoCloseable {

  final IpAddress address;
  final Etcd etcd;
  final Journal journal;
  final HostVlans vlans;

  /** The least that was ever known at once since {@link #begin}; guarded by this. */
  private int fewest = Integer.MAX_VALUE;

  Member(EtcdSettings settings, Path state, int number) {
    this(Etcd.open(settings), state, number);
  }

  /** Whose etcd may have answered already. */
  Member(Etcd known, Path state, int number) {
    address = IpAddress.parse("198.51.100." + number);
    etcd = known;
    journal = Journal.open(state.resolve("h" + number));
    vlans =
        new HostVlans(
            EtcdLossIT.store(etcd),
            journal,
            new Random(number),
            InstantSource.system(),
            this::look);
    vlans.start();
  }

  HostVlan join(String subnet) {
    return vlans.join(EtcdLossIT.VLAN, Cidr.parse(subnet), address);
  }

  List<Lease> ways() {
    return vlans.peers("vlan002").orElse(List.of());
  }

  Set<Cidr> peers() {
    return ways().stream().map(Lease::subnet).collect(Collectors.toSet());
  }

  private synchronized void look() {
    fewest = Math.min(fewest, peers().size());
  }

  /** All are known; whether that stays so is asked later. A look under way counts as before. */
  synchronized void begin() {
    fewest = peers().size();
  }

  synchronized int fewest() {
    return fewest;
  }

  @Override
  public void close() {
    vlans.close();
    journal.close();
    etcd.close();
  }
}
