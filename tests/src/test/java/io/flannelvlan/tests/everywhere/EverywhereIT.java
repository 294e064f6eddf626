package io.flannelvlan.tests.everywhere;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.invariants.Invariants;
import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Promise;
import io.flannelvlan.tests.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What one host's user makes is on the others, and what a user removes stays removed. */
@ExtendWith(LogsOnFailure.class)
final class EverywhereIT {

  /** From one host to another. */
  private static final Promise SOON = new Promise(Duration.ofSeconds(2));

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** The VNI of the VLAN made last to see that all before it has been looked at. */
  private static int marker = 120;

  private static Lab lab;
  private static Host newer;
  private static Host older;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    newer = hosts.get(0).setting("NETWORKS", "all");
    older = hosts.get(1).setting("NETWORKS", "all");
    newer.plugin().start();
    older.plugin().start();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
    SOON.requireKept();
  }

  @AfterEach
  void everythingAgrees() {
    Invariants.of(lab).awaitHeld();
  }

  @Test
  void aNetworkMadeOnOneHostIsOnTheOtherWithinTwoSecondsJustAsItIs() {
    for (Host host : List.of(newer, older)) {
      Host other = host == newer ? older : newer;
      int vlan = host == newer ? 1 : 2;
      create(host, vlan, "--internal --label color=blue --opt mtu=1400", "net" + vlan);
      awaitSoon(other, "net" + vlan);
      String format =
          "{{.Driver}} {{.IPAM.Driver}} {{.Internal}} {{.Options}} {{.Labels}}"
              + " {{(index .IPAM.Config 0).Subnet}}";
      assertThat(inspect(other, format, "net" + vlan))
          .isEqualTo(inspect(host, format, "net" + vlan))
          .contains("true", "mtu:1400", "color:blue");
      Container here = host.run("a" + vlan, "net" + vlan);
      Container there = other.run("b" + vlan, "net" + vlan);
      assertThat(here.reaches(there.address())).isTrue();
      assertThat(there.reaches(here.address())).isTrue();
    }
  }

  @Test
  void removedOnOneHostItIsRemovedThereOnlyAndForGood() {
    create(newer, 3, "", "vlan003");
    awaitSoon(older, "vlan003");
    older.docker("network", "rm", "vlan003");
    assertStaysAway(older, "vlan003", "removed on this host");
    assertThat(has(newer, "vlan003")).isTrue();
    older.plugin().restart();
    assertStaysAway(older, "vlan003", "removed on this host");
    // Nor when etcd has forgotten all, and is told again by the others.
    lab.etcd().wipe();
    Await.until(
        PATIENCE,
        () -> "etcd is not told again",
        () -> lab.etcd().keys("/flannelvlan/networks/").contains("/flannelvlan/networks/vlan003"));
    assertStaysAway(older, "vlan003", "removed on this host");
    // Its user may want it after all.
    create(older, 3, "", "vlan003");
    assertThat(has(older, "vlan003")).isTrue();
  }

  @Test
  void aHostThatWasDownAndOneThatComesLateGetIt() {
    older.plugin().stop();
    create(newer, 4, "", "vlan004");
    older.plugin().start();
    awaitSoon(older, "vlan004");
    older.dockerd().stop();
    create(newer, 5, "", "vlan005");
    older.dockerd().start();
    awaitNetwork(older, "vlan005");
    Host late = lab.host(Engine.DOCKER_20_10).setting("NETWORKS", "vlan004,vlan106");
    late.plugin().start();
    awaitSoon(late, "vlan004");
    // The host looks at all VLANs together, in the order of their names.
    config("vlan106", 106);
    awaitSoon(late, "vlan106");
    assertLacks(late, "vlan005", "left out by NETWORKS");
    late.plugin().stop();
    late.setting("NETWORKS", "none").plugin().start();
    create(newer, 6, "", "vlan006");
    awaitSoon(older, "vlan006");
    // Nothing is ever made there: two rounds of the others must do.
    awaitMarker(older);
    assertLacks(late, "vlan006", "left out by NETWORKS");
  }

  @Test
  void aVlanThatWasPutIntoEtcdAppearsUnderItsOwnName() {
    config("vlan007", 7);
    config("blue", 8);
    for (Host host : List.of(newer, older)) {
      awaitSoon(host, "vlan007");
      awaitSoon(host, "blue");
    }
    Container here = newer.run("c7", "vlan007");
    Container there = older.run("d7", "vlan007");
    assertThat(here.reaches(there.address())).isTrue();
  }

  @Test
  void aNameThatIsTakenIsToldOnceAndTheNetworkComesWhenItIsFree() {
    older.docker("network", "create", "taken");
    create(newer, 9, "", "taken");
    String complaint =
        "VLAN vlan009: its network taken can't be made in this host's Docker, and is tried again:"
            + " Docker at /run/docker.sock, POST /networks/create: network with name taken already"
            + " exists";
    Await.until(PATIENCE, () -> "it is not told", () -> older.plugin().log().contains(complaint));
    assertStaysAway(older, "vlan009", "its network taken can't be made");
    assertThat(older.plugin().log().split(complaint, -1)).hasSize(2);
    older.docker("network", "rm", "taken");
    awaitNetwork(older, "taken");
    assertThat(inspect(older, "{{.Driver}}", "taken")).isEqualTo("flannelvlan");
  }

  @Test
  void aNetworkMayBeItsHostsOwn() {
    create(newer, 10, "--opt everywhere=false", "vlan010");
    assertStaysAway(older, "vlan010", "made with everywhere=false");
    create(older, 10, "", "mine");
    assertThat(has(older, "mine")).isTrue();
  }

  @Test
  void rubbishInEtcdHarmsItselfAlone() {
    lab.etcd().put("/flannelvlan/networks/vlan011", "rubbish");
    config("vlan011", 11);
    create(newer, 12, "", "vlan012");
    awaitSoon(older, "vlan012");
    assertStaysAway(older, "vlan011", "its key in etcd can't be read");
    assertThat(older.plugin().log())
        .contains("VLAN vlan011: /flannelvlan/networks/vlan011 in etcd can't be read");
    assertThat(curl(older, "DELETE", "/vlans/vlan011"))
        .contains("can't be removed", "can't be read");
    lab.etcd().delete("/flannelvlan/networks/vlan011");
    awaitSoon(older, "vlan011");
  }

  @Test
  void removalEverywhereIsRefusedWhileSomebodyIsInItAndNamesHim() {
    create(newer, 13, "", "vlan013");
    awaitSoon(older, "vlan013");
    Container box = older.run("e13", "vlan013");
    String refusal = curl(newer, "DELETE", "/vlans/vlan013");
    assertThat(refusal)
        .startsWith("VLAN vlan013 (VNI 13, 10.13.0.0/16) is in use: ")
        .contains(box.address() + " on host " + older.address() + " (endpoint ");
    assertThat(has(older, "vlan013")).isTrue();
    assertThat(has(newer, "vlan013")).isTrue();
    assertThat(curl(newer, "DELETE", "/vlans/vlan099")).contains("etcd has no VLAN \"vlan099\"");
  }

  @Test
  void removalEverywhereTakesItFromAllHostsAndEtcdAndItCanBeMadeAgain() {
    create(newer, 14, "", "web");
    awaitSoon(older, "web");
    assertThat(curl(newer, "GET", "/vlans")).containsPattern("vlan014 +14 +10.14.0.0/16 +2 +netw");
    Result removed = older.flannelvlan("remove", "vlan014").orThrow();
    assertThat(removed.out())
        .isEqualTo(
            "VLAN vlan014 (VNI 14, 10.14.0.0/16) is removed from hosts %s, %s\n"
                .formatted(newer.address(), older.address()));
    assertThat(has(newer, "web")).isFalse();
    assertThat(has(older, "web")).isFalse();
    assertThat(lab.etcd().keys("/coreos.com/network/vlan014/")).isEmpty();
    awaitMarker(newer);
    assertThat(has(newer, "web")).isFalse();
    create(older, 14, "", "again");
    awaitSoon(newer, "again");
    assertThat(newer.flannelvlan("vlans").orThrow().out()).contains("vlan014");
  }

  @Test
  void aHostThatWasAwayWhenItWasRemovedRemovesItWhenItIsBack() {
    create(newer, 15, "", "vlan015");
    awaitSoon(older, "vlan015");
    awaitSettled(older, "vlan015");
    older.plugin().stop();
    assertThat(newer.flannelvlan("remove", "vlan015").orThrow().out())
        .contains("is removed, but still there on hosts " + older.address());
    assertThat(has(newer, "vlan015")).isFalse();
    older.plugin().start();
    Await.until(PATIENCE, () -> "it is still there", () -> !has(older, "vlan015"));
    Await.until(
        PATIENCE,
        () -> "it is still in etcd",
        () -> lab.etcd().keys("/coreos.com/network/vlan015/").isEmpty());
    awaitMarker(newer);
    assertThat(has(newer, "vlan015")).isFalse();
  }

  private static void awaitSettled(Host host, String vlan) {
    Path journal = host.stateDir().resolve("journal");
    Await.until(
        PATIENCE,
        () -> vlan + " is not settled on " + host.name(),
        () -> text(journal).contains("\"vlan\":\"" + vlan + "\",\"generation\""));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String curl(Host host, String method, String path) {
    return host.in(
            "curl",
            "--silent",
            "--unix-socket",
            "/run/flannelvlan/admin.sock",
            "--request",
            method,
            "http://localhost" + path)
        .orThrow()
        .out();
  }

  private static void config(String vlan, int vni) {
    lab.etcd()
        .put(
            "/coreos.com/network/" + vlan + "/config",
            "{\"Network\":\"10.%d.0.0/16\", \"Backend\":{\"Type\":\"vxlan\",\"VNI\":%d}}"
                .formatted(vni, vni));
  }

  private static void create(Host host, int vlan, String options, String name) {
    host.docker(
        ("network create -d flannelvlan --ipam-driver flannelvlan --subnet 10."
                + (vlan + ".0.0/16 --opt vni=" + vlan + " " + options + " " + name))
            .split(" +"));
  }

  private static String inspect(Host host, String format, String network) {
    return host.docker("network", "inspect", "--format", format, network).text();
  }

  private static boolean has(Host host, String network) {
    return host.tryDocker("network", "inspect", network).ok();
  }

  private static void awaitNetwork(Host host, String network) {
    Await.until(PATIENCE, () -> network + " is not on " + host.name(), () -> has(host, network));
  }

  private static void awaitSoon(Host host, String network) {
    SOON.await(() -> network + " is not on " + host.name(), () -> has(host, network));
  }

  /**
   * Waits until the host has made the network of one more VLAN: by then it has made each that it
   * wants and whose VLAN was there before, since it goes through all together by their names.
   */
  private static void awaitMarker(Host host) {
    String vlan = "z" + ++marker;
    config(vlan, marker);
    awaitNetwork(host, vlan);
  }

  /** Not only for now: whatever would come has had its turn. */
  private static void assertStaysAway(Host host, String vlan, String reason) {
    awaitMarker(host);
    assertLacks(host, vlan, reason);
  }

  /** It says itself why, once it can be asked. */
  private static void assertLacks(Host host, String vlan, String reason) {
    assertThat(has(host, vlan)).isFalse();
    Pattern line = Pattern.compile("(?m)^" + vlan + " .* no: " + Pattern.quote(reason));
    Await.until(
        PATIENCE,
        () -> host.name() + " does not say of " + vlan + ": " + reason,
        () -> line.matcher(host.flannelvlan("vlans").out()).find());
  }
}
