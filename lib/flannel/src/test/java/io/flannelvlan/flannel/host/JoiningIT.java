package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.flannel.VlanException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.RepeatedTest;

/** A host that joins a VLAN in the moment that another removes it everywhere. */
class JoiningIT extends OneHost {

  private static final int TIMES = 40;

  @RepeatedTest(2)
  void whoeverIsInAVlanAfterwardsEtcdHasIt() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < TIMES; i++) {
        store.create("vlan002", EtcdLossIT.VLAN.config());
        CyclicBarrier start = new CyclicBarrier(2);
        int head = i;
        List<Callable<Boolean>> both =
            List.of(
                () -> {
                  start.await();
                  LockSupport.parkNanos(head * 100_000L);
                  return store.removeUnused(EtcdLossIT.VLAN);
                },
                () -> {
                  start.await();
                  return joins();
                });
        List<Future<Boolean>> done = threads.invokeAll(both);
        boolean removed = done.getFirst().get();
        boolean joined = done.getLast().get();
        assertThat(store.stands("vlan002")).as("joined, or not removed").isEqualTo(!removed);
        assertThat(joined && removed).isFalse();
        host.vlans.leave("vlan002");
        store.removeUnused(EtcdLossIT.VLAN);
      }
    }
  }

  private boolean joins() {
    try {
      host.join("10.2.20.0/24");
      return true;
    } catch (VlanException _) {
      return false;
    }
  }
}
