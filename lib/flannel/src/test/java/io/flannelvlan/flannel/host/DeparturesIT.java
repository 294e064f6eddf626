package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.Lease;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a host left while etcd was away, in the VLAN of {@link EtcdLossIT}. */
class DeparturesIT extends OneHost {

  @Test
  void whoComesBackAtAnotherAddressGivesBackWhatItLeftAtTheFormerOne() {
    host.join("10.2.20.0/24");
    server.kill();
    awaitAway();
    host.vlans.leave("vlan002");
    server.start();
    Waiting.until("etcd answers", PATIENCE, () -> host.etcd.isReachable() && watcher.isReachable());
    Cidr other = Cidr.parse("10.2.30.0/24");
    host.vlans.join(EtcdLossIT.VLAN, other, IpAddress.parse("198.51.100.99"));
    Waiting.until("the former one goes", PATIENCE, () -> leased().equals(Set.of(other)));
  }

  @Test
  void whatAnOldSnapshotBringsBackWhileTheHostIsDownIsGivenBackAfterItsStart() {
    host.join("10.2.20.0/24");
    server.ctl("snapshot", "save", state.resolve("old.db").toString());
    host.vlans.leave("vlan002");
    host.close();
    server.kill();
    Waiting.until("away", PATIENCE, () -> !watcher.isReachable());
    server.restore(state.resolve("old.db"));
    server.start();
    // As one that waits for the etcd that it carries.
    Etcd known = server.client();
    assertThat(known.awaitAnswer(PATIENCE)).isTrue();
    Waiting.until("etcd answers", PATIENCE, watcher::isReachable);
    assertThat(leased()).hasSize(1);
    host = new Member(known, state.resolve("kept"), 11);
    Waiting.until("it is given back again", PATIENCE, () -> leased().isEmpty());
  }

  private Set<Cidr> leased() {
    return store.leases(EtcdLossIT.VLAN).bySubnet().values().stream()
        .map(Lease::subnet)
        .collect(Collectors.toSet());
  }
}
