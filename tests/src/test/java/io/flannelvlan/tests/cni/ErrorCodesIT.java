package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each error code of docs/CNI.md by each of its causes, which are real: the error object, exit code
 * 1, and nothing left behind.
 */
@ExtendWith(LogsOnFailure.class)
final class ErrorCodesIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final AtomicInteger PODS = new AtomicInteger();

  /** Where the daemon has its record of attachments; here a disk of 64 KiB. */
  private static final String RECORDS = "/run/flannelvlan/cni";

  /** The journal's last block has room for some. */
  private static final int MOST_ADDS = 60;

  private static Lab lab;
  private static Host host;

  /** It stays all the time, so that this host stays in the VLAN. */
  private static Pod mate;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    host = lab.host(Engine.DOCKER_28);
    host.in("mkdir", "-p", RECORDS).orThrow();
    host.in("mount", "-t", "tmpfs", "-o", "size=64k", "small", RECORDS).orThrow();
    host.setting("RECLAIM_AFTER", "1s").plugin().start();
    put("vlan001", "'Network':'10.1.0.0/16','Backend':{'Type':'vxlan','VNI':1}");
    put("vlan002", "'Network':'10.2.0.0/16','Backend':{'Type':'vxlan','VNI':2}");
    // One subnet, with a gateway and one address.
    String tiny =
        "'Network':'10.9.0.0/28','SubnetLen':30,'SubnetMin':'10.9.0.4','SubnetMax':'10.9.0.4'";
    put("vlan009", tiny + ",'Backend':{'Type':'vxlan','VNI':9}");
    mate = pod();
    CniConf.awaitUsable(mate);
    mate.cni("ADD", CniConf.of("1.0.0")).orThrow();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  /**
   * A cause of an error.
   *
   * @param version in which the error is told
   * @param word that the sentence has
   * @param added whether the pod was added in order before
   * @param call is told the result of that
   */
  record Case(
      int code,
      String cause,
      String version,
      String word,
      boolean added,
      BiFunction<Pod, String, Result> call) {

    /** By a call with other fields in the configuration, or one other variable. */
    static Case of(
        int code, String cause, String word, String command, String fields, String... variables) {
      return new Case(
          code,
          cause,
          "1.1.0",
          word,
          /* added= */ false,
          (pod, _) -> pod.cni(command, CniConf.of("1.1.0", fields), variables));
    }

    static Case onAdded(int code, String cause, String word, BiFunction<Pod, String, Result> call) {
      return new Case(code, cause, "1.1.0", word, /* added= */ true, call);
    }

    Case toldIn(String other) {
      return new Case(code, cause, other, word, added, call);
    }

    @Override
    public String toString() {
      return code + ": " + cause;
    }
  }

  private static final String NO_FIELDS = "'x':1";
  private static final String NOWHERE = "RUN_DIR=/run/none";

  private static List<Case> cases() {
    return List.of(
        Case.of(1, "an older version", "0.2.0", "ADD", "'cniVersion':'0.2.0'"),
        Case.of(1, "a version of tomorrow", "2.0.0", "ADD", "'cniVersion':'2.0.0'"),
        Case.of(1, "no version", "cniVersion", "ADD", "'cniVersion':null"),
        Case.of(1, "younger than its version", "1.1.0", "GC", "'cniVersion':'1.0.0'")
            .toldIn("1.0.0"),
        Case.of(2, "an allocator", "host-local", "ADD", "'ipam':{'type':'host-local'}"),
        Case.of(3, "nobody added it", "is unknown", "CHECK", "'prevResult':{'interfaces':[]}"),
        Case.of(4, "no such command", "CNI_COMMAND", "PUT", NO_FIELDS),
        Case.of(4, "no container", "CNI_CONTAINERID", "ADD", NO_FIELDS, "CNI_CONTAINERID="),
        Case.of(4, "a wrong container", "CNI_CONTAINERID", "ADD", NO_FIELDS, "CNI_CONTAINERID=/"),
        Case.of(4, "no link's name", "CNI_IFNAME", "ADD", NO_FIELDS, "CNI_IFNAME="),
        Case.of(4, "a name that is taken", "CNI_IFNAME", "ADD", NO_FIELDS, "CNI_IFNAME=lo"),
        Case.of(4, "no netns", "CNI_NETNS", "ADD", NO_FIELDS, "CNI_NETNS="),
        Case.of(4, "a netns that is gone", "CNI_NETNS", "ADD", NO_FIELDS, "CNI_NETNS=/run/netns/x"),
        Case.of(4, "a netns that is none", "CNI_NETNS", "ADD", NO_FIELDS, "CNI_NETNS=/etc/passwd"),
        Case.of(
            4, "the host's netns", "CNI_NETNS", "ADD", NO_FIELDS, "CNI_NETNS=/proc/self/ns/net"),
        Case.of(4, "a wrong address", "CNI_ARGS", "ADD", NO_FIELDS, "CNI_ARGS=IP=10.2"),
        Case.of(4, "an unknown argument", "COLOUR", "ADD", NO_FIELDS, "CNI_ARGS=COLOUR=blue"),
        new Case(5, "a full disk", "1.1.0", "No space left", false, (pod, _) -> onAFullDisk(pod)),
        new Case(6, "no JSON", "1.1.0", "JSON", false, (pod, _) -> pod.cni("ADD", "{")),
        new Case(6, "no object", "1.1.0", "JSON", false, (pod, _) -> pod.cni("ADD", "[]")),
        Case.of(7, "no such VLAN", "vlan099", "ADD", "'network':'vlan099'"),
        Case.of(7, "no VLAN at all", "no VLAN is chosen", "ADD", "'network':null"),
        Case.of(
            7,
            "an annotation that can't be meant",
            "flannelvlan.io/networks",
            "ADD",
            "'runtimeConfig':{'io.kubernetes.cri.pod-annotations':{'flannelvlan.io/networks':'@'}}"),
        Case.of(7, "a wrong MAC", "mac", "ADD", "'runtimeConfig':{'mac':'x'}"),
        Case.of(7, "nothing to compare with", "prevResult", "CHECK", NO_FIELDS),
        Case.of(7, "nobody is named", "valid-attachments", "GC", NO_FIELDS),
        Case.of(11, "no daemon for ADD", "is its daemon running", "ADD", NO_FIELDS, NOWHERE),
        Case.of(11, "no daemon for DEL", "is its daemon running", "DEL", NO_FIELDS, NOWHERE),
        new Case(
            11,
            "no etcd for a VLAN that is not here",
            "1.1.0",
            "etcd",
            false,
            (pod, _) -> withoutEtcd(pod, "ADD")),
        Case.of(50, "no daemon for STATUS", "is its daemon running", "STATUS", NO_FIELDS, NOWHERE),
        Case.of(50, "STATUS of no such VLAN", "vlan099", "STATUS", "'network':'vlan099'"),
        new Case(
            50,
            "STATUS without etcd",
            "1.1.0",
            "etcd",
            false,
            (pod, _) -> withoutEtcd(pod, "STATUS")),
        Case.of(
            100, "another VLAN's address", "10.9.0.1", "ADD", NO_FIELDS, "CNI_ARGS=IP=10.9.0.1"),
        new Case(
            100,
            "an address in use",
            "1.1.0",
            "in use",
            false,
            (pod, _) -> pod.cni("ADD", CniConf.of("1.1.0"), "CNI_ARGS=IP=" + mate.address())),
        new Case(
            100, "a full VLAN", "1.1.0", "no address is free", false, (pod, _) -> inAFullVlan(pod)),
        Case.onAdded(
            100,
            "added already",
            "DEL goes first",
            (pod, _) -> pod.cni("ADD", CniConf.of("1.1.0"))),
        Case.onAdded(
            101,
            "set down",
            "eth0",
            (pod, result) -> checked(pod, result, "ip link set eth0 down")),
        Case.onAdded(
            101,
            "another address",
            "lacks",
            (pod, result) -> checked(pod, result, "ip address flush dev eth0")),
        Case.onAdded(
            101,
            "another MAC",
            "MAC",
            (pod, result) -> checked(pod, result, "ip link set eth0 address 02:00:00:00:00:99")),
        Case.onAdded(
            101,
            "link deleted",
            "eth0",
            (pod, result) -> checked(pod, result, "ip link delete eth0")));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void whatCannotBeDoneIsAnErrorObjectAndNothingIsLeft(Case one) {
    Traces before = Traces.of(lab, host);
    Pod pod = pod();
    String result = one.added ? pod.cni("ADD", CniConf.of("1.1.0")).orThrow().text() : "";
    Result answer = one.call.apply(pod, result);
    CniConf.assertError(answer, one.code, one.version, one.word);
    if (one.added) {
      // Neither does it take away what was there.
      Await.until(
          PATIENCE,
          () -> "" + Traces.of(lab, host),
          () -> Traces.of(lab, host).attachments().size() > before.attachments().size());
      pod.cni("DEL", CniConf.of("1.1.0")).orThrow();
    }
    assertThat(pod.in("ip", "-o", "link").out().lines()).hasSize(1);
    before.awaitAgain(lab, host);
    pod.vanish();
    assertThat(mate.address()).startsWith("10.2.");
  }

  @Test
  void everyCodeOfTheDocumentHasACause() throws IOException {
    Set<Integer> written = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("../docs/CNI.md"))) {
      if (line.matches("\\| [0-9, ]+ \\|.*")) {
        Pattern.compile("\\d+")
            .matcher(line.substring(0, line.indexOf('|', 1)))
            .results()
            .map(number -> Integer.valueOf(number.group()))
            .forEach(written::add);
      }
    }
    // A fault of ours is the one that nobody can cause.
    written.remove(999);
    assertThat(new TreeSet<>(cases().stream().map(Case::code).toList())).isEqualTo(written);
  }

  private static Result onAFullDisk(Pod pod) {
    String fill = "dd if=/dev/zero of=" + RECORDS + "/ballast bs=4k";
    assertThat(host.in(fill.split(" ", -1)).err()).contains("No space left");
    try {
      for (int i = 0; i < MOST_ADDS; i++) {
        Result added = pod.cni("ADD", CniConf.of("1.1.0"));
        if (!added.ok()) {
          pod.cni("DEL", CniConf.of("1.1.0")).orThrow();
          return added;
        }
        pod.cni("DEL", CniConf.of("1.1.0")).orThrow();
      }
      throw new AssertionError("the disk is not full");
    } finally {
      host.in("rm", RECORDS + "/ballast").orThrow();
      // What it did meanwhile is on the disk with the next that it does.
      pod.cni("ADD", CniConf.of("1.1.0")).orThrow();
      pod.cni("DEL", CniConf.of("1.1.0")).orThrow();
    }
  }

  private static Result withoutEtcd(Pod pod, String command) {
    lab.etcd().daemon().freeze();
    try {
      return pod.cni(command, CniConf.of("1.1.0", "'network':'vlan001'"));
    } finally {
      lab.etcd().daemon().thaw();
    }
  }

  private static Result inAFullVlan(Pod pod) {
    String conf = CniConf.of("1.1.0", "'network':'vlan009'");
    Pod first = pod();
    first.cni("ADD", conf).orThrow();
    Result refused = pod.cni("ADD", conf);
    first.cni("DEL", conf).orThrow();
    first.vanish();
    return refused;
  }

  private static Result checked(Pod pod, String result, String damage) {
    String conf = CniConf.of("1.1.0", "'prevResult':" + result);
    assertThat(pod.cni("CHECK", conf).orThrow().out()).isEmpty();
    pod.in(damage.split(" ", -1)).orThrow();
    return pod.cni("CHECK", conf);
  }

  private static void put(String vlan, String config) {
    lab.etcd()
        .put("/coreos.com/network/" + vlan + "/config", "{" + config.replace('\'', '"') + "}");
  }

  private static Pod pod() {
    return host.pod("pod" + PODS.incrementAndGet());
  }
}
