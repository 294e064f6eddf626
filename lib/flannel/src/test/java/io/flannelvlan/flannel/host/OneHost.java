package io.flannelvlan.flannel.host;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.TestingEtcd;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.flannel.VlanStore;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The VLAN of {@link EtcdLossIT} in an etcd of its own, and a host that may join it. */
abstract class OneHost {

  static final Duration PATIENCE = Duration.ofSeconds(20);

  final TestingEtcd server = TestingEtcd.started();
  final Etcd watcher = server.client();
  final VlanStore store = EtcdLossIT.store(watcher);

  @TempDir Path state;
  Member host;

  @BeforeEach
  void start() {
    store.create("vlan002", EtcdLossIT.VLAN.config());
    host = open("kept");
  }

  @AfterEach
  void stop() {
    host.close();
    watcher.close();
    server.close();
  }

  Member open(String directory) {
    return new Member(server.settings(), state.resolve(directory), 11);
  }

  void awaitAway() {
    Waiting.until("away", PATIENCE, () -> !host.etcd.isReachable() && !watcher.isReachable());
  }
}
