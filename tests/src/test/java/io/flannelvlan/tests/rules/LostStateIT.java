package io.flannelvlan.tests.rules;

import static io.flannelvlan.tests.rules.Site.OURS;
import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Recollection;
import io.flannelvlan.tests.lab.Traffic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the state directory lost is had back from Docker and etcd, under running containers. */
@ExtendWith(LogsOnFailure.class)
final class LostStateIT {
  private static final String VLAN001 = OURS + "--subnet 10.1.0.0/16 --opt vni=1 vlan001";
  private static final String VLAN002 =
      OURS + "--subnet 10.2.0.0/16 --opt vni=2 --opt mtu=1400 --internal vlan002";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static Site site;
  private static Host newer;
  private static Host older;

  @BeforeAll
  static void boot() {
    site = new Site(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = site.host(1);
    older = site.host(2);
    for (Host host : List.of(newer, older)) {
      host.setting("RECLAIM_AFTER", "2s").plugin().restart();
    }
  }

  @AfterAll
  static void takeDown() {
    site.close();
  }

  @AfterEach
  void clear() {
    site.requireInvariantsAndClear();
  }

  @Test
  void aLostStateDirectoryCostsNoPacketAndNoCommand() {
    Container a = furnish(newer);
    Container b = furnish(older);
    List<String> leases = leases();
    List<String> macs = macs();
    Traffic traffic = new Traffic(site.lab()).between(a, b);
    for (Host host : List.of(newer, older)) {
      loseState(host, () -> {}).await();
    }
    assertThat(leases()).isEqualTo(leases);
    assertThat(macs()).isEqualTo(macs);
    traffic.requireUninterrupted();
    asBefore(newer, b);
    asBefore(older, a);
  }

  @Test
  void whatADamagedJournalLostIsHadBack() {
    furnish(newer);
    Container b = furnish(older);
    for (String lost :
        List.of(
            "\"network\":{|\"endpoint\":{", // all that names one
            "\"vlan\":{|\"links\":{|\"address\":{|\"pool\":{",
            "\"state\":\"JOINED\"", // what is left tells of an earlier state
            "flannelvlan journal|{")) { // nothing is left
      Traffic traffic = new Traffic(site.lab()).between(newer.container("c1"), b);
      Recollection all = new Recollection(newer);
      newer.plugin().kill();
      change(newer.stateDir().resolve("journal"), text -> damaged(text, lost));
      newer.plugin().start();
      all.await();
      traffic.requireUninterrupted();
      asBefore(newer, b);
      Invariants.of(site.lab()).awaitHeld();
    }
  }

  @Test
  void aVlanThatCantBeHadBackIsFencedInAndKeepsNoOtherFromIt() {
    Container far = furnish(older);
    furnish(newer);
    Container c2 = newer.container("c2");
    String lease = site.lease(newer, "vlan002");
    String key = "/coreos.com/network/vlan002/subnets/" + lease.replace('/', '-');
    String ours = site.etcd().get(key).orElseThrow();
    Recollection all =
        loseState(
            newer, () -> site.etcd().put(key, ours.replace(newer.address(), "198.51.100.99")));
    Await.until(
        PATIENCE,
        () -> newer.plugin().log(),
        () ->
            newer.plugin().log().contains("can't be taken over")
                && newer.tryDocker("run", "--rm", "--network", "vlan001", "bb", "true").ok());
    assertThat(site.lab().outside().whoAnswers(newer.address() + ":8080")).contains("c1");
    Container late = newer.run("late", "vlan001", "--publish", "8081:80");
    assertThat(late.reaches(far.address())).isTrue();
    assertThat(site.lab().outside().whoAnswers(newer.address() + ":8081")).contains("late");
    assertThat(late.pings(c2.address())).isFalse();
    assertThat(c2.pings(late.address())).isFalse();
    assertThat(c2.pings(Site.at(lease, 1))).isTrue();
    newer.docker("rm", "--force", "late");
    site.etcd().put(key, ours);
    all.await();
    asBefore(newer, far);
  }

  @Test
  void anotherDockerAtDockerHostIsNotTakenForTheEndOfWhatRuns() {
    Container a = furnish(newer);
    Container b = furnish(older);
    Traffic traffic = new Traffic(site.lab()).between(a, b);
    Recollection all = new Recollection(newer);
    Path socket = site.lab().dir().resolve("other.sock");
    try (StubEngine _ = StubEngine.another(socket)) {
      newer.setting("DOCKER_HOST", "unix://" + socket);
      loseState(newer, () -> {});
      Await.until(
          PATIENCE,
          () -> newer.plugin().log(),
          () -> newer.plugin().log().contains("Docker does not know who has the other ends"));
      assertThat(site.lab().outside().whoAnswers(newer.address() + ":8080")).contains("c1");
    } finally {
      newer.setting("DOCKER_HOST", "unix:///run/docker.sock").plugin().restart();
    }
    all.await();
    traffic.requireUninterrupted();
    asBefore(newer, b);
  }

  @Test
  void whatEtcdLostTooIsHadBackFromTheKernel() {
    site.makeByHand("blue", "10.4.0.0/16", 77);
    site.create(newer, OURS + "--subnet 10.4.0.0/16 blue");
    Container a = newer.run("ca", "blue");
    Container b = newer.run("cb", "blue");
    String lease = site.lease(newer, "blue");
    Traffic traffic = new Traffic(site.lab()).between(a, b);
    loseState(newer, () -> site.etcd().etcdctl("del", "--prefix", "/").orThrow()).await();
    traffic.requireUninterrupted();
    assertThat(site.vlans()).containsExactly("blue");
    assertThat(site.etcd().get("/coreos.com/network/blue/config").orElse("")).contains("77");
    assertThat(site.lease(newer, "blue")).isEqualTo(lease);
    assertThat(site.addresses(newer)).isEqualTo(site.addressesOf(newer, "ca", "cb"));
    assertThat(newer.run("late", "blue").reaches(a.address())).isTrue();
  }

  @Test
  void severalNetworksOfAVlanAndPortsOfAllKindsAreHadBack() {
    site.create(newer, VLAN001);
    String lease = site.lease(newer, "vlan001");
    site.create(newer, OURS + "--subnet 10.1.0.0/16 --aux-address x=" + Site.at(lease, 9) + " a");
    site.create(newer, OURS + "--subnet 10.1.0.0/16 --aux-address x=" + Site.at(lease, 10) + " b");
    site.create(newer, OURS + "--subnet 10.3.0.0/16 --opt vni=3 vlan003");
    // Port 80 to any, and 80 by way of the network that is not the first by name.
    Container all = newer.run("all", "vlan001", "--publish-all", "--expose", "80");
    newer.docker(
        "run -d --name c1 --hostname c1 --network name=vlan001 -p 8080:80"
            .concat(" --network name=vlan003,gw-priority=1 bb")
            .split(" "));
    List<String> published = publishedTo(newer);
    assertThat(published).contains(all.address(), newer.container("c1").address("vlan003"));
    List<String> addresses = site.addresses(newer);
    loseState(newer, () -> {}).await();
    assertThat(publishedTo(newer)).isEqualTo(published);
    assertThat(site.addresses(newer)).isEqualTo(addresses);
    assertThat(site.lab().outside().whoAnswers(newer.address() + ":8080")).contains("c1");
  }

  @Test
  void anOldCopyOfTheStateDirectoryLearnsTheNetworksThatCameSince() {
    site.create(newer, VLAN001);
    Path journal = newer.stateDir().resolve("journal");
    newer.plugin().stop();
    String copy = read(journal);
    newer.plugin().start();
    site.create(newer, VLAN002);
    newer.plugin().stop();
    change(journal, _ -> copy);
    newer.plugin().start();
    Await.until(
        PATIENCE,
        () -> newer.plugin().log(),
        () -> newer.tryDocker("run", "--rm", "--network", "vlan002", "bb", "true").ok());
    site.create(older, VLAN002);
    assertThat(newer.run("c2", "vlan002").reaches(older.run("c2", "vlan002").address())).isTrue();
  }

  /** A container with a port in vlan001 and another one in vlan002. */
  private static Container furnish(Host host) {
    site.create(host, VLAN001);
    site.create(host, VLAN002);
    host.run("c2", "vlan002");
    return host.run("c1", "vlan001", "--publish", "8080:80");
  }

  private static Recollection loseState(Host host, Runnable meanwhile) {
    Recollection all = new Recollection(host);
    host.plugin().kill();
    host.loseState();
    meanwhile.run();
    host.plugin().start();
    return all;
  }

  /** The containers' addresses to which ports of the host lead. */
  private static List<String> publishedTo(Host host) {
    return Pattern.compile(" : ([\\d.]+) \\. \\d+")
        .matcher(host.in("nft", "list", "table", "inet", "flannelvlan").orThrow().out())
        .results()
        .map(found -> found.group(1))
        .sorted()
        .toList();
  }

  /** All that a user does goes on: ports, isolation, new containers, and the end of old ones. */
  private static void asBefore(Host host, Container far) {
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("c1");
    Container late = host.run("late", "vlan001");
    assertThat(late.reaches(far.address())).isTrue();
    assertThat(host.container("c2").pings(late.address())).isFalse();
    host.docker("rm", "--force", "late");
    host.docker("restart", "--time", "0", "c1");
    assertThat(host.container("c1").reaches(far.address())).isTrue();
    assertThat(site.lab().outside().whoAnswers(host.address() + ":8080")).contains("c1");
    assertThat(site.addresses(host)).isEqualTo(site.addressesOf(host, "c1", "c2"));
  }

  private static List<String> leases() {
    return Stream.of(newer, older)
        .flatMap(host -> Stream.of("vlan001", "vlan002").map(vlan -> site.lease(host, vlan)))
        .toList();
  }

  private static List<String> macs() {
    return Stream.of(newer, older)
        .flatMap(host -> Stream.of("flannel.1", "flannel.2").map(link -> site.mac(host, link)))
        .toList();
  }

  /** A bit falls over in each line that holds one of these words. */
  private static String damaged(String journal, String words) {
    List<String> all = List.of(words.split("\\|"));
    return journal
        .lines()
        .map(line -> all.stream().anyMatch(line::contains) ? damagedLine(line) : line)
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static String damagedLine(String line) {
    return line.replace('{', '[').replace("nal 1", "nal q");
  }

  private static String read(Path path) {
    try {
      return Files.readString(path, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void change(Path path, UnaryOperator<String> change) {
    try {
      Files.writeString(path, change.apply(read(path)), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
