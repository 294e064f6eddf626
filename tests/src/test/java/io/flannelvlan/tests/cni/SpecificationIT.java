package io.flannelvlan.tests.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Pod;
import io.flannelvlan.tests.lab.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each command in each version of the specification, by the executable and the daemon. */
@ExtendWith(LogsOnFailure.class)
final class SpecificationIT {

  private static final List<String> VERSIONS = List.of("0.3.1", "0.4.0", "1.0.0", "1.1.0");
  private static final AtomicInteger PODS = new AtomicInteger();

  private static Lab lab;
  private static Host host;

  /** It stays all the time, so that this host stays in the VLAN. */
  private static Pod mate;

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    host = lab.host(Engine.DOCKER_28);
    host.plugin().start();
    lab.etcd()
        .put(
            "/coreos.com/network/vlan002/config",
            "{\"Network\":\"10.2.0.0/16\",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":2}}");
    mate = pod();
    CniConf.awaitUsable(mate);
    mate.cni("ADD", CniConf.of("1.0.0")).orThrow();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      useHeadersInDisplayName = true,
      value = {
        "command | 0.3.1     | 0.4.0     | 1.0.0     | 1.1.0",
        "VERSION | done      | done      | done      | done",
        "STATUS  | refused 1 | refused 1 | refused 1 | done",
        "ADD     | done      | done      | done      | done",
        "CHECK   | refused 1 | done      | done      | done",
        "GC      | refused 1 | refused 1 | refused 1 | done",
        "DEL     | done      | done      | done      | done"
      })
  void eachCommandIsDoneOrRefusedByTheVersionInWhichItIsAsked(
      String command, String v031, String v040, String v100, String v110) {
    List<String> expected = List.of(v031, v040, v100, v110);
    for (int i = 0; i < VERSIONS.size(); i++) {
      Traces before = Traces.of(lab, host);
      String version = VERSIONS.get(i);
      Pod pod = pod();
      String result =
          List.of("CHECK", "GC", "DEL").contains(command)
              ? pod.cni("ADD", CniConf.of(version)).orThrow().out()
              : "null";
      String conf =
          CniConf.of(version, "'prevResult':" + result + ",'cni.dev/valid-attachments':" + mates());
      Result answer = pod.cni(command, conf);
      if (expected.get(i).equals("done")) {
        answer.orThrow();
        assertDone(command, pod, answer.out());
      } else {
        CniConf.assertError(answer, 1, version, command + " is of version");
      }
      pod.cni("DEL", CniConf.of(version)).orThrow();
      // Twice is as once, and so is without the namespace.
      pod.cni("DEL", CniConf.of(version)).orThrow();
      assertThat(links(pod)).isEqualTo("lo");
      pod.vanish();
      pod.cni("DEL", CniConf.of(version)).orThrow();
      pod.cni("DEL", CniConf.of(version), "CNI_NETNS=").orThrow();
      before.awaitAgain(lab, host);
    }
    assertThat(mate.address()).startsWith("10.2.");
  }

  private static void assertDone(String command, Pod pod, String out) {
    switch (command) {
      case "VERSION" ->
          assertThat(CniConf.read(out).path("supportedVersions"))
              .map(JsonNode::asText)
              .isEqualTo(VERSIONS);
      case "ADD" -> {
        assertThat(out).contains("\"address\":\"" + pod.address() + "/24\"");
        assertThat(mate.reaches(pod.address())).isTrue();
      }
      case "DEL", "GC" -> {
        assertThat(out).isEmpty();
        assertThat(links(pod)).isEqualTo("lo");
      }
      default -> assertThat(out).isEmpty();
    }
  }

  /** As the specification's versions have it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0.3.1 | name mac     sandbox | version interface address gateway",
        "0.4.0 | name mac     sandbox | version interface address gateway",
        "1.0.0 | name mac     sandbox | interface address gateway",
        "1.1.0 | name mac sandbox mtu | interface address gateway"
      })
  void theResultHasTheFieldsOfItsVersionAndTellsWhatIsInTheKernel(
      String version, String linkFields, String addressFields) {
    Pod pod = pod();
    JsonNode result = CniConf.read(pod.cni("ADD", CniConf.of(version)).orThrow().out());
    assertThat(result.path("cniVersion").asText()).isEqualTo(version);
    JsonNode hostEnd = result.path("interfaces").path(0);
    JsonNode link = result.path("interfaces").path(1);
    JsonNode address = result.path("ips").path(0);
    assertThat(fields(link)).containsExactlyInAnyOrder(linkFields.split(" +"));
    assertThat(fields(address)).containsExactlyInAnyOrder(addressFields.split(" +"));
    assertThat(fields(hostEnd)).doesNotContain("sandbox");
    assertThat(link.path("sandbox").asText()).isEqualTo(pod.netns());
    assertThat(address.path("address").asText()).isEqualTo(pod.address() + "/24");
    assertThat(address.path("interface").asInt()).isEqualTo(1);
    assertThat(pod.in("ip", "link", "show", "eth0").out())
        .contains(link.path("mac").asText())
        .contains(link.has("mtu") ? "mtu " + link.path("mtu").asInt() : "mtu 1450");
    assertThat(host.in("ip", "link", "show", hostEnd.path("name").asText()).orThrow().out())
        .contains(hostEnd.path("mac").asText());
    String routes = pod.in("ip", "route").out();
    for (JsonNode route : result.path("routes")) {
      String dst = route.path("dst").asText().replace("0.0.0.0/0", "default");
      assertThat(routes).contains(dst + " via " + route.path("gw").asText());
    }
    pod.cni("DEL", CniConf.of(version)).orThrow();
    pod.vanish();
  }

  @Test
  void behindAnotherPluginItsResultStaysAndBothCanBeChecked() {
    Pod pod = pod();
    pod.in("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "eth8").orThrow();
    String previous =
        "{'cniVersion':'1.0.0','interfaces':[{'name':'eth9','sandbox':'"
            + pod.netns()
            + "'}],'ips':[{'interface':0,'address':'192.0.2.5/24'}],'dns':{'domain':'a.example'}}";
    JsonNode result =
        CniConf.read(
            pod.cni("ADD", CniConf.of("1.0.0", "'prevResult':" + previous)).orThrow().out());
    assertThat(result.path("interfaces").path(0).path("name").asText()).isEqualTo("eth9");
    assertThat(result.path("ips").path(0).path("address").asText()).isEqualTo("192.0.2.5/24");
    assertThat(result.path("ips").path(1).path("address").asText()).startsWith(pod.address());
    assertThat(result.path("ips").path(1).path("interface").asInt()).isEqualTo(2);
    assertThat(result.path("dns").path("domain").asText()).isEqualTo("a.example");
    // Also in another version than that of the ADD, as when its file was edited since.
    for (String version : List.of("0.4.0", "1.0.0", "1.1.0")) {
      pod.cni("CHECK", CniConf.of(version, "'prevResult':" + result)).orThrow();
    }
    pod.cni("DEL", CniConf.of("1.0.0")).orThrow();
    assertThat(links(pod)).contains("eth9").doesNotContain("eth0");
    pod.vanish();
  }

  @Test
  void addressAndMacAreHadByEachOfTheConventionsWays() {
    String wanted = mate.address().replaceFirst("\\d+$", "77");
    String ip = "'ips':['" + wanted + "/24']";
    String mac = "'mac':'02:00:00:00:00:77'";
    List<List<String>> ways =
        List.of(
            List.of("'x':1", "CNI_ARGS=IP=" + wanted + ";MAC=02:00:00:00:00:77"),
            List.of("'runtimeConfig':{" + ip + "," + mac + "}", "CNI_ARGS="),
            List.of("'args':{'cni':{" + ip + "," + mac + "}}", "CNI_ARGS="));
    for (List<String> way : ways) {
      Pod pod = pod();
      pod.cni("ADD", CniConf.of("1.0.0", way.getFirst()), way.getLast()).orThrow();
      assertThat(pod.address()).as(way.toString()).isEqualTo(wanted);
      assertThat(pod.in("ip", "link", "show", "eth0").out()).contains("02:00:00:00:00:77");
      assertThat(mate.reaches(wanted)).isTrue();
      pod.cni("DEL", CniConf.of("1.0.0", way.getFirst()), way.getLast()).orThrow();
      pod.vanish();
    }
  }

  /** For GC: all pods but the one that stays are gone. */
  private static String mates() {
    return "[{'containerID':'" + mate.name() + "','ifname':'eth0'}]";
  }

  private static Pod pod() {
    return host.pod("pod" + PODS.incrementAndGet());
  }

  private static String links(Pod pod) {
    return String.join(
        " ",
        pod.in("ip", "-o", "link")
            .orThrow()
            .out()
            .lines()
            .map(line -> line.split("[:@] ?", -1)[1].strip())
            .toList());
  }

  private static List<String> fields(JsonNode node) {
    List<String> all = new ArrayList<>();
    node.fieldNames().forEachRemaining(all::add);
    return all;
  }
}
