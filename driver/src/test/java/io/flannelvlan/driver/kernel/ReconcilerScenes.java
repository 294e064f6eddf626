package io.flannelvlan.driver.kernel;

import static io.flannelvlan.driver.kernel.Wished.vlan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.driver.kernel.Desired.DesiredVlan;
import io.flannelvlan.etcd.Waiting;
import io.flannelvlan.firewall.FirewallRules;
import io.flannelvlan.firewall.VlanRules;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.Events;
import io.flannelvlan.netlink.Rtnl;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** What {@link ReconcilerIT} plays, each in a process that is in a namespace of its own. */
enum ReconcilerScenes {
  /** What was wished before the call is there after it. */
  SETTLE_WAITS_FOR_A_PASS_BEGUN_AFTER_THE_CALL {
    @Override
    void play(Reconciler reconciler) throws Exception {
      for (int i = 1; i <= 20; i++) {
        WISHES.set(new Desired(List.of(vlan(2, 1, i))));
        assertThat(settle(reconciler).has("fv2%011x".formatted(i - 1))).isTrue();
      }
      AtomicInteger more = new AtomicInteger(20);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
          calls.add(() -> {
            int mine = more.getAndIncrement();
            WISHES.updateAndGet(d ->
                new Desired(
                    List.of(
                        vlan(2, 1, Math.max(mine + 1, d.vlans().getFirst().endpoints().size())))));
            return settle(reconciler).has("fv2%011x".formatted(mine));
          });
        }
        for (Future<Boolean> done : threads.invokeAll(calls)) {
          assertThat(done.get()).isTrue();
        }
      }
    }
  },

  /** Nobody asks for it: the kernel's own events wake the pass. */
  WHAT_IS_DELETED_BY_HAND_COMES_BACK {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(vlan(2, 2, 1))));
      settle(reconciler);
      for (String command :
          List.of(
              "ip route del 10.2.88.0/24",
              "ip neigh del 10.2.88.0 dev flannel.2",
              "bridge fdb del 2a:88:6f:10:c4:00 dev flannel.2",
              "ip addr del 10.2.20.1/24 dev fvbr.2",
              "ip link del flannel.2",
              "ip link del fvbr.2")) {
        String before = shown();
        run(command);
        Waiting.until(command + " is put right", SOON, () -> shown().equals(before));
      }
    }
  },

  ONE_VLAN_THAT_FAILS_STOPS_NO_OTHER {
    @Override
    void play(Reconciler reconciler) throws Exception {
      DesiredVlan broken = Wished.on("eth7", 3, 1, 0);
      WISHES.set(new Desired(List.of(broken, vlan(2, 1, 1))));
      Outcome outcome = settle(reconciler);
      assertThat(outcome.has("flannel.2")).isTrue();
      assertThat(outcome.failuresOf("vlan002")).isEmpty();
      assertThat(outcome.failuresOf("vlan003")).isNotEmpty().first().asString().contains("eth7");
      run("ip link add eth7 type veth peer name wire7");
      Waiting.until(
          "it is made once it can be", BEFORE_A_RETRY, () -> shown().contains("flannel.3"));
    }
  },

  A_FOREIGN_LINK_IN_THE_WAY_IS_SAID_AND_STAYS {
    @Override
    void play(Reconciler reconciler) throws Exception {
      run("ip link add flannel.2 type vxlan id 2 dev eth0 dstport 8472");
      String foreign = run("ip -d link show dev flannel.2");
      WISHES.set(new Desired(List.of(vlan(2, 1, 1), vlan(3, 1, 1))));
      Outcome outcome = settle(reconciler);
      assertThat(outcome.failuresOf("vlan002").toString()).contains("ip link del flannel.2");
      assertThat(outcome.has("flannel.3")).isTrue();
      assertThat(run("ip -d link show dev flannel.2")).isEqualTo(foreign);
      run("ip link del flannel.2");
      Waiting.until("it is made once there is room", SOON, () -> shown().contains("10.2.20.0/32"));
    }
  },

  WISHES_THAT_CANT_BE_TOLD_CHANGE_NOTHING {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(vlan(2, 1, 1))));
      settle(reconciler);
      String before = shown();
      for (Throwable fault :
          List.of(
              new IllegalArgumentException("no wish can be told"),
              new NoClassDefFoundError("gone"),
              new StackOverflowError())) {
        FAULT.set(Optional.of(fault));
        assertThat(settle(reconciler).failuresOf(Outcome.EVERYTHING)).isNotEmpty();
        assertThat(shown()).isEqualTo(before);
        FAULT.set(Optional.empty());
        assertThat(settle(reconciler).failures()).isEmpty();
      }
    }
  },

  WHAT_FAILS_AGAIN_IS_TRIED_LESS_AND_LESS_OFTEN_AND_A_NEW_WISH_AT_ONCE {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(Wished.on("eth7", 3, 1, 0))));
      settle(reconciler);
      Waiting.until("the third retry waits four seconds", SOON, () -> longestRest() >= 3_900);
      assertThat(longestRest()).isLessThan(7_900);
      WISHES.set(new Desired(List.of(Wished.on("eth7", 3, 1, 0), vlan(2, 1, 1))));
      long asked = System.nanoTime();
      assertThat(settle(reconciler).failuresOf("vlan002")).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(BEFORE_A_RETRY);
      run("ip link add eth7 type veth peer name wire7");
      Waiting.until(
          "it is made once it can be", BEFORE_A_RETRY, () -> shown().contains("flannel.3"));
    }
  },

  A_VALUE_THAT_NO_MESSAGE_CAN_CARRY_FAILS_ITS_OWN_VLAN_ONLY {
    @Override
    void play(Reconciler reconciler) throws Exception {
      DesiredVlan nameless = Wished.withName(vlan(3, 1, 1), "x".repeat(300));
      WISHES.set(new Desired(List.of(nameless, vlan(2, 1, 1))));
      Outcome outcome = settle(reconciler);
      assertThat(outcome.failuresOf(nameless.name()).toString()).contains("alias");
      assertThat(outcome.failuresOf("vlan002")).isEmpty();
      assertThat(outcome.has("flannel.2")).isTrue();
    }
  },

  SETTINGS_THAT_ARE_SWITCHED_OFF_COME_BACK_BEFORE_ANY_TICK {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(vlan(2, 1, 0))));
      settle(reconciler);
      for (String setting :
          List.of(
              "conf.fvbr/2.forwarding",
              "conf.flannel/2.forwarding",
              "conf.eth0.forwarding",
              "conf.fvbr/2.route_localnet")) {
        run("sysctl -qw net.ipv4." + setting + "=0");
        Waiting.until(
            setting + " is on again",
            SOON,
            () -> run("sysctl -n net.ipv4." + setting).equals("1\n"));
      }
    }
  },

  BRIDGES_STAY_QUIET_WHEN_THEIR_LAST_PORT_GOES {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(vlan(2, 1, 1))));
      settle(reconciler);
      WISHES.set(new Desired(List.of(vlan(2, 1, 0))));
      settle(reconciler);
      Waiting.until("the port is gone", SOON, () -> !shown().contains("fv2"));
      assertThat(settle(reconciler).applied()).isEmpty();
      assertThat(run("ip -o link show dev fvbr.2")).contains("mtu 1450");
    }
  },

  CLOSING_LEAVES_THE_KERNEL_AS_IT_IS_AND_THE_NEXT_PROCESS_FINDS_IT_SO {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(withFirewall(vlan(2, 2, 2)));
      settle(reconciler);
      settle(reconciler);
      String before = shown() + run("nft list ruleset");
      reconciler.close();
      assertThatThrownBy(() -> settle(reconciler)).isInstanceOf(IllegalStateException.class);
      Waiting.until(
          "the kernel thread ends",
          SOON,
          () ->
              Thread.getAllStackTraces().keySet().stream()
                  .noneMatch(thread -> thread.getName().equals("kernel")));
      assertThat(shown() + run("nft list ruleset")).isEqualTo(before);
      try (Reconciler next = started()) {
        assertThat(settle(next).applied()).isEmpty();
        assertThat(shown() + run("nft list ruleset")).isEqualTo(before);
        // What an earlier process left and nobody wishes any more goes.
        WISHES.set(new Desired(List.of()));
        settle(next);
        Waiting.until(
            "all is gone", SOON, () -> !shown().contains("fvbr") && !shown().contains("fv2"));
        assertThat(run("nft list ruleset")).doesNotContain("table inet flannelvlan");
      }
    }
  },

  THE_FIREWALL_IS_PUT_BACK_WHEN_SOMEBODY_FLUSHES_IT {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(withFirewall(vlan(2, 1, 0)));
      assertThat(settle(reconciler).failures()).isEmpty();
      assertThat(run("nft list table inet flannelvlan")).contains("fvbr.2");
      run("nft delete table inet flannelvlan");
      Waiting.until(
          "the table is back",
          SOON,
          () -> run("nft list ruleset").contains("table inet flannelvlan"));
    }
  },

  WHERE_NOTHING_KEEPS_VLANS_APART_NO_LINK_IS_MADE {
    @Override
    void play(Reconciler reconciler) throws Exception {
      // A table that another process owns can't be replaced; it goes with its owner.
      Process owner = new ProcessBuilder("nft", "-i").redirectErrorStream(true).start();
      owner.outputWriter().append("add table inet flannelvlan { flags owner; }\n").flush();
      Waiting.until(
          "the table is owned", SOON, () -> run("nft list tables").contains("flannelvlan"));
      WISHES.set(withFirewall(vlan(2, 1, 1)));
      assertThat(settle(reconciler).failuresOf(Outcome.EVERYTHING).toString()).contains("nft");
      assertThat(shown()).doesNotContain("fvbr.2").doesNotContain("flannel.2");
      owner.destroy();
      Waiting.until("they are made with their rules", SOON, () -> shown().contains("fvbr.2"));
      assertThat(run("nft list table inet flannelvlan")).contains("fvbr.2");
      assertThat(settle(reconciler).failures()).isEmpty();
    }
  },

  THE_TUNNEL_IS_AS_LARGE_AS_ITS_UNDERLAY_LETS_IT_BE {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(vlan(2, 1, 1))));
      settle(reconciler);
      for (int mtu : new int[] {1400, 9000, 1400}) {
        run("ip link set eth0 mtu " + mtu);
        run("ip link del flannel.2");
        String tunnels = "mtu " + Math.min(1450, mtu - 50) + " ";
        Waiting.until(
            "it has " + tunnels,
            SOON,
            () -> shown().contains("flannel.2") && run("ip -o link show").contains(tunnels));
        assertThat(settle(reconciler).failures()).isEmpty();
        assertThat(run("ip -o link show dev fvbr.2")).contains("mtu 1450 ");
      }
    }
  },

  LINKS_THAT_NOBODY_WAITS_FOR_GO_SOON {
    @Override
    void play(Reconciler reconciler) throws Exception {
      WISHES.set(new Desired(List.of(vlan(2, 1, 20))));
      settle(reconciler);
      WISHES.set(new Desired(List.of(vlan(2, 1, 3))));
      reconciler.wakeWhenQuiet();
      Waiting.until(
          "seventeen are gone",
          SOON,
          () -> run("ip -o link show master fvbr.2").lines().count() == 3);
    }
  };

  private static final Duration SOON = Duration.ofSeconds(10);

  /** The fourth rest lasts eight seconds. */
  private static final Duration BEFORE_A_RETRY = Duration.ofSeconds(5);

  private static final AtomicReference<Desired> WISHES =
      new AtomicReference<>(new Desired(List.of()));

  private static final AtomicReference<Optional<Throwable>> FAULT =
      new AtomicReference<>(Optional.empty());

  /** When the wishes were asked for, in milliseconds. */
  private static final List<Long> PASSES = new CopyOnWriteArrayList<>();

  abstract void play(Reconciler reconciler) throws Exception;

  /** Arguments: the scene, and the network namespace that it must not be in. */
  public static void main(String[] arguments) {
    try {
      String here = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
      assertThat(here).as("this would be the machine's own namespace").isNotEqualTo(arguments[1]);
      try (Reconciler reconciler = started();
          Events _ = Events.ofLinks(_ -> reconciler.wake());
          Events _ = Events.ofNftables(_ -> reconciler.suspectFirewall())) {
        valueOf(arguments[0]).play(reconciler);
      }
      System.exit(0);
    } catch (Throwable e) {
      e.printStackTrace();
      System.exit(1);
    }
  }

  private static Reconciler started() {
    Reconciler reconciler = new Reconciler(new Kernel(Rtnl.open()));
    reconciler.start(_ -> {
      PASSES.add(System.nanoTime() / 1_000_000);
      FAULT.get().ifPresent(ReconcilerScenes::fail);
      return WISHES.get();
    });
    return reconciler;
  }

  private static void fail(Throwable fault) {
    switch (fault) {
      case Error error -> throw error;
      case RuntimeException exception -> throw exception;
      default -> throw new IllegalStateException(fault);
    }
  }

  private static long longestRest() {
    long longest = 0;
    for (int i = 1; i < PASSES.size(); i++) {
      longest = Math.max(longest, PASSES.get(i) - PASSES.get(i - 1));
    }
    return longest;
  }

  private static Outcome settle(Reconciler reconciler) throws Exception {
    return reconciler.settle(Duration.ofSeconds(10));
  }

  private static Desired withFirewall(DesiredVlan vlan) {
    VlanRules rules =
        new VlanRules(
            vlan.name(),
            new Vni(2),
            "fvbr.2",
            "flannel.2",
            Cidr.parse("10.2.0.0/16"),
            false,
            true,
            Optional.empty(),
            Optional.empty());
    return new Desired(List.of(vlan), new FirewallRules(List.of(rules), List.of(), Set.of()));
  }

  /** Links, addresses, routes, neighbours and FDB, without indices and counters. */
  private static String shown() {
    String all =
        run("ip -o -4 addr show")
            + run("ip -4 route show")
            + run("ip neigh show nud permanent")
            + run("bridge fdb show br fvbr.2")
            + run("bridge fdb show dev flannel.2");
    List<String> lines =
        all.lines()
            .map(line -> line.replaceAll("^\\d+: ", "").replaceAll("@if\\d+|\\s+valid_lft.*", ""))
            .filter(line -> !line.contains(" dev fv") && !line.startsWith("33:33"))
            .sorted()
            .toList();
    return String.join("\n", lines)
        + "\n"
        + run("ip -br link show type veth").replaceAll("@\\S+", "");
  }

  /** Runs a command in this process' namespace; one that finds nothing to show shows nothing. */
  private static String run(String command) {
    try {
      return TestingNamespace.execute(List.of(command.split(" ", -1)));
    } catch (IllegalStateException e) {
      if (command.contains(" show")) {
        return "";
      }
      throw e;
    }
  }
}
