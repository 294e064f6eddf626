package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A random walk of calls, in and out of order, against a model of what must come of them. */
@ExtendWith(LogsOnFailure.class)
final class LifecycleIT {
  private static final int STEPS = 600;
  private static final int STEPS_BETWEEN_LOOKS = 60;
  private static final int NETWORKS = 3;
  private static final int ENDPOINTS = 9;
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long SEED = Long.getLong("lifecycle.seed", new Random().nextInt(1_000_000));

  private static Site site;
  private static Host host;

  private final Random random = new Random(SEED);
  private final Lifecycle model = new Lifecycle();

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28);
    host = site.host(1);
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @Test
  void afterAnyCallsInAnyOrderThePluginHasWhatTheModelHas() {
    System.out.println("the same again: -Dlifecycle.seed=" + SEED);
    for (int i = 1; i <= STEPS; i++) {
      step(random.nextInt(NETWORKS), random.nextInt(ENDPOINTS));
      if (i % STEPS_BETWEEN_LOOKS == 0) {
        look();
        if (random.nextBoolean()) {
          host.plugin().kill();
          host.plugin().start();
        }
      }
    }
    for (int network = 0; network < NETWORKS; network++) {
      deleteNetwork(network);
    }
    look();
    site.nothingRemains(host);
  }

  /** An endpoint is always of the same network; its calls are the frequent ones. */
  private void step(int network, int endpoint) {
    int of = endpoint % NETWORKS;
    switch (random.nextInt(20)) {
      case 0, 1 -> createNetwork(network);
      case 2 -> {
        // Now and then, or nothing would live for long.
        if (random.nextInt(4) == 0) {
          deleteNetwork(network);
        }
      }
      case 3, 4, 5, 6 -> requestAddress(network);
      case 7, 8, 9, 10 ->
          pick(model.addressesOf(of)).forEach(address -> createEndpoint(of, endpoint, address));
      case 11, 12, 13 ->
          expect(model.joins(endpoint), "NetworkDriver.Join", Bodies.join(id(of), id(endpoint)));
      case 14, 15 ->
          expect(
              model.leaves(endpoint), "NetworkDriver.Leave", Bodies.endpoint(id(of), id(endpoint)));
      case 16, 17 ->
          expect(
              model.deletesEndpoint(endpoint),
              "NetworkDriver.DeleteEndpoint",
              Bodies.endpoint(id(of), id(endpoint)));
      default -> pick(model.addressesOf(network)).forEach(address -> release(network, address));
    }
  }

  private void createNetwork(int network) {
    String pool = expect(true, "IpamDriver.RequestPool", Bodies.requestPool(range(network)));
    String gateway = Bodies.member(pool, "gateway");
    expect(
        model.createsNetwork(network),
        "NetworkDriver.CreateNetwork",
        Bodies.createNetwork(id(network), range(network), network + 1, gateway));
  }

  private void deleteNetwork(int network) {
    expect(
        model.deletesNetwork(network), "NetworkDriver.DeleteNetwork", Bodies.network(id(network)));
  }

  private void requestAddress(int network) {
    boolean possible = model.requestsAddress(network);
    String answer =
        expect(possible, "IpamDriver.RequestAddress", Bodies.requestAddress(range(network)));
    if (possible) {
      String address = Bodies.member(answer, "Address");
      assertThat(model.gives(network, address)).as("twice " + address).isTrue();
    }
  }

  private void createEndpoint(int network, int endpoint, String address) {
    expect(
        model.createsEndpoint(network, endpoint, address),
        "NetworkDriver.CreateEndpoint",
        Bodies.createEndpoint(id(network), id(endpoint), address));
  }

  private void release(int network, String address) {
    expect(
        model.releases(address),
        "IpamDriver.ReleaseAddress",
        Bodies.releaseAddress(range(network), address));
  }

  private static String expect(boolean success, String verb, String body) {
    Wire.Reply reply = Wire.call(host, verb, body);
    assertThat(reply.ok()).as(verb + " " + body + ": " + reply.body()).isEqualTo(success);
    return reply.body();
  }

  private void look() {
    Invariants.ofRecords(site.lab(), host).awaitHeld(PATIENCE);
    Set<String> addresses =
        model.addresses().stream()
            .map(address -> address.replaceAll("/.*", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    Await.until(
        PATIENCE,
        () -> "etcd has " + site.addresses(host) + ", the model " + addresses,
        () -> new TreeSet<>(site.addresses(host)).equals(addresses));
    Set<String> veths =
        model.linked().stream()
            .map(endpoint -> "link fv" + id(endpoint).substring(0, 12))
            .collect(Collectors.toCollection(TreeSet::new));
    Await.until(PATIENCE, () -> "links " + links() + ", not " + veths, () -> links().equals(veths));
  }

  private static Set<String> links() {
    return site.kernelRemains(host).stream()
        .filter(what -> what.startsWith("link fv") && !what.startsWith("link fvbr"))
        .map(what -> what.replaceAll("@.*", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private List<String> pick(Set<String> some) {
    return some.isEmpty()
        ? List.of()
        : List.of(new ArrayList<>(some).get(random.nextInt(some.size())));
  }

  private static String id(int number) {
    return Integer.toHexString(number + 1).repeat(64);
  }

  private static String range(int network) {
    return "10." + (network + 1) + ".0.0/16";
  }
}
