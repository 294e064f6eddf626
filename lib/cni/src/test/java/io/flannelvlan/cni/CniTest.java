package io.flannelvlan.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flannelvlan.cni.Cni.Answer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CniTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String NETNS = "/run/netns/c1";

  private final TestingCniApi api = new TestingCniApi();
  private final Cni cni = new Cni(api);
  private final Map<String, String> variables =
      new HashMap<>(Map.of("CNI_CONTAINERID", "c1", "CNI_NETNS", NETNS, "CNI_IFNAME", "eth0"));

  @ParameterizedTest
  @CsvSource({
    "0.3.1, true, false",
    "0.4.0, true, false",
    "1.0.0, false, false",
    "1.1.0, false, true"
  })
  void theResultOfAddHasTheFormOfItsVersion(String version, boolean family, boolean mtu) {
    JsonNode result = json(ask("ADD", conf(version, "'network':'vlan002'")));
    assertThat(result.path("cniVersion").asText()).isEqualTo(version);
    JsonNode link = result.path("interfaces").path(1);
    assertThat(link.path("name").asText()).isEqualTo("eth0");
    assertThat(link.path("sandbox").asText()).isEqualTo(NETNS);
    assertThat(link.has("mtu")).isEqualTo(mtu);
    assertThat(result.path("interfaces").path(0).has("sandbox")).isFalse();
    JsonNode address = result.path("ips").path(0);
    assertThat(address.path("address").asText()).isEqualTo("10.2.20.5/24");
    assertThat(address.path("gateway").asText()).isEqualTo("10.2.20.1");
    assertThat(address.path("interface").asInt()).isEqualTo(1);
    assertThat(address.has("version")).isEqualTo(family);
    assertThat(result.path("routes").toString())
        .isEqualTo(
            "[{\"dst\":\"10.2.0.0/16\",\"gw\":\"10.2.20.1\"},"
                + "{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.2.20.1\"}]");
  }

  @Test
  void anAnnotationChoosesTheVlansAndTheirLinksAndWinsOverTheFile() {
    String annotated =
        "'network':'vlan003','runtimeConfig':{'io.kubernetes.cri.pod-annotations':"
            + "{'flannelvlan.io/networks':'vlan001, vlan002@net7,vlan004'}}";
    JsonNode result = json(ask("ADD", conf("1.0.0", annotated)));
    assertThat(api.asked.getFirst())
        .contains("vlan001, ifname=eth0", "vlan002, ifname=net7", "vlan004, ifname=net1")
        .doesNotContain("vlan003");
    assertThat(result.path("interfaces").size()).isEqualTo(6);
    assertThat(result.path("ips").path(2).path("interface").asInt()).isEqualTo(5);
    // One default route, through the first.
    assertThat(result.path("routes").toString()).containsOnlyOnce("0.0.0.0/0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vlan001@eth0@x",
        "@eth0",
        "vlan001,,vlan002",
        "vlan001@eth0,vlan002@eth0",
        "vlan001@net1,vlan002@net2",
        "vlan001@a-name-that-is-too-long",
        "vlan001,vlan001"
      })
  void anAnnotationThatCannotBeMeantIsRefused(String text) {
    String annotated =
        "'runtimeConfig':{'io.kubernetes.cri.pod-annotations':{'flannelvlan.io/networks':'"
            + text
            + "'}}";
    assertError(ask("ADD", conf("1.0.0", annotated)), 7, "");
    assertThat(api.asked).isEmpty();
  }

  @Test
  void addressAndMacComeByEachOfTheConventionsWays() {
    List<String> ways =
        List.of(
            "'runtimeConfig':{'ips':['10.2.20.9/24'],'mac':'02:00:00:00:00:77'}",
            "'args':{'cni':{'ips':['10.2.20.9'],'mac':'02:00:00:00:00:77'}}",
            "'args':{'cni':{'ips':['10.2.20.8'],'mac':'02:00:00:00:00:66'}},"
                + "'runtimeConfig':{'ips':['10.2.20.9'],'mac':'02:00:00:00:00:77'}");
    for (String way : ways) {
      assertThat(ask("ADD", conf("0.4.0", "'network':'vlan002'," + way)).ok()).isTrue();
    }
    variables.put("CNI_ARGS", "IP=10.2.20.9;MAC=02:00:00:00:00:77");
    assertThat(ask("ADD", conf("0.3.1", "'network':'vlan002'")).ok()).isTrue();
    assertThat(api.asked)
        .hasSize(4)
        .allMatch(
            asked -> asked.contains("Optional[10.2.20.9]") && asked.contains("02:00:00:00:00:77"));
  }

  @Test
  void argumentsThatWeDoNotKnowAreRefusedUnlessTheirGiverLetsThemPass() {
    variables.put("CNI_ARGS", "K8S_POD_NAME=web");
    assertError(ask("ADD", conf("1.0.0", "'network':'vlan002'")), 4, "K8S_POD_NAME");
    variables.put("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=web");
    assertThat(ask("ADD", conf("1.0.0", "'network':'vlan002'")).ok()).isTrue();
  }

  @Test
  void aResultBeforeOursInTheChainStaysAndOursIsBehindIt() {
    String previous =
        "'prevResult':{'cniVersion':'1.0.0','interfaces':[{'name':'eth9','sandbox':'/x'}],"
            + "'ips':[{'interface':0,'address':'192.0.2.5/24'}],'dns':{'domain':'a.example'}}";
    JsonNode result = json(ask("ADD", conf("1.0.0", "'network':'vlan002'," + previous)));
    assertThat(result.path("interfaces").path(0).path("name").asText()).isEqualTo("eth9");
    assertThat(result.path("ips").path(1).path("interface").asInt()).isEqualTo(2);
    assertThat(result.path("dns").path("domain").asText()).isEqualTo("a.example");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.4.0", "1.0.0", "1.1.0"})
  void aResultOfAnyVersionCanBeChecked(String version) {
    String result = ask("ADD", conf(version, "'network':'vlan002'")).text();
    for (String checked : List.of("0.4.0", "1.0.0", "1.1.0")) {
      String conf = conf(checked, "'network':'vlan002','prevResult':" + result);
      assertThat(ask("CHECK", conf)).isEqualTo(new Answer(true, ""));
      assertThat(api.asked.getLast()).contains("eth0", "10.2.20.5/24");
    }
  }

  @Test
  void whatAddToldCanBeChecked() {
    String file = "'network':'vlan002'";
    String result = ask("ADD", conf("1.1.0", file)).text();
    Answer checked =
        ask("CHECK", conf("1.1.0", file).replaceFirst("}$", ",\"prevResult\":" + result + "}"));
    assertThat(checked).isEqualTo(new Answer(true, ""));
    assertThat(api.asked.getLast()).contains("eth0", "10.2.20.5/24").doesNotContain("fvh2");
    assertError(ask("CHECK", conf("1.1.0", file)), 7, "prevResult");
  }

  @Test
  void delNeedsNeitherSandboxNorResult() {
    variables.remove("CNI_NETNS");
    assertThat(ask("DEL", conf("0.3.1", "'network':'vlan002'"))).isEqualTo(new Answer(true, ""));
    assertThat(api.asked).containsExactly("delete container c1, eth0, network net");
  }

  /** It would never get rid of a pod whose ADD refused the same configuration. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'network':2",
        "'ipam':{'type':'host-local'}",
        "'runtimeConfig':{'mac':'x','ips':['x']}",
        "'runtimeConfig':{'io.kubernetes.cri.pod-annotations':{'flannelvlan.io/networks':'@'}}"
      })
  void whatAddRefusesDelAndGcDoNotMind(String wish) {
    assertThat(ask("ADD", conf("1.1.0", wish)).ok()).isFalse();
    assertThat(api.asked).isEmpty();
    assertThat(ask("DEL", conf("1.1.0", wish)).ok()).isTrue();
    assertThat(ask("GC", conf("1.1.0", wish + ",'cni.dev/valid-attachments':[]")).ok()).isTrue();
    assertThat(api.asked).hasSize(2);
  }

  @Test
  void gcNamesWhoIsValidAndWithoutTheListNobodyGoes() {
    String list = "'cni.dev/valid-attachments':[{'containerID':'c7','ifname':'eth0'}]";
    variables.clear();
    assertThat(ask("GC", conf("1.1.0", list)).ok()).isTrue();
    assertThat(api.asked).containsExactly("collect net [container c7, eth0, network net]");
    assertError(ask("GC", conf("1.1.0", "'x':1")), 7, "cni.dev/valid-attachments");
    assertError(
        ask("GC", conf("1.1.0", "'cni.dev/valid-attachments':[{'containerID':'c7'}]")), 7, "");
    assertThat(api.asked).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"CHECK, 0.3.1", "GC, 1.0.0", "STATUS, 0.4.0", "ADD, 0.2.0", "ADD, 2.0.0", "DEL, ''"})
  void aVersionThatIsNotSpokenOrLacksTheCommandIsRefused(String command, String version) {
    assertError(ask(command, conf(version, "'network':'vlan002'")), 1, "cniVersion");
    assertThat(api.asked).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "CNI_COMMAND, PUT",
    "CNI_COMMAND, ''",
    "CNI_CONTAINERID, ''",
    "CNI_CONTAINERID, ../x",
    "CNI_IFNAME, ''",
    "CNI_IFNAME, eth0/1",
    "CNI_IFNAME, sixteen-letters-",
    "CNI_IFNAME, ..",
    "CNI_NETNS, ''",
    "CNI_NETNS, netns/c1",
    "CNI_ARGS, IP",
    "CNI_ARGS, IP=10.2",
    "CNI_ARGS, MAC=x"
  })
  void aVariableThatIsMissingOrBrokenIsNamed(String variable, String value) {
    variables.put("CNI_COMMAND", "ADD");
    variables.put(variable, value);
    assertError(cni.answer(variables, conf("1.0.0", "'network':'vlan002'")), 4, variable);
    assertThat(api.asked).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{              | 6 | not JSON",
        "[]             | 6 | no JSON object",
        "{'cniVersion':'1.0.0','name':'net','network':'vlan002','ipam':{'type':'host-local'}} | 2 | host-local",
        "{'cniVersion':'1.0.0','name':'a b','network':'vlan002'} | 7 | name",
        "{'cniVersion':'1.0.0','network':'vlan002'} | 7 | name",
        "{'cniVersion':'1.0.0','name':'net'} | 7 | no VLAN is chosen",
        "{'cniVersion':'1.0.0','name':'net','network':2} | 7 | network",
        "{'cniVersion':'1.0.0','name':'net','network':'blue'} | 7 | blue is unknown",
        "{'cniVersion':'1.0.0','name':'net','network':'vlan002','runtimeConfig':{'mac':'x'}} | 7 | mac",
        "{'cniVersion':'1.0.0','name':'net','network':'vlan002','args':{'cni':{'ips':['x']}}} | 7 | ips",
        "{'cniVersion':'1.0.0','name':'net','network':'vlan002','runtimeConfig':{'ips':['10.2.0.1','10.2.0.2']}} | 7 | 2 addresses"
      })
  void aBrokenConfigurationIsRefused(String conf, int code, String word) {
    assertError(ask("ADD", conf.replace('\'', '"')), code, word);
  }

  @Test
  void aFaultOfOursIsAnErrorObjectToo() {
    assertError(ask("STATUS", conf("1.1.0", "'network':'vlan002'")), 999, "out of order");
  }

  @Test
  void versionAnswersWhateverTheConfigurationIs() {
    for (String conf : List.of("", "{", conf("0.4.0", "'x':1"))) {
      JsonNode version = json(ask("VERSION", conf));
      assertThat(version.path("supportedVersions").toString())
          .isEqualTo("[\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]");
      assertThat(version.path("cniVersion").asText())
          .isEqualTo(conf.contains("0.4.0") ? "0.4.0" : "1.1.0");
    }
  }

  @Test
  void aCallArrivesAsItWasSent() {
    Call call = new Call(Map.of("CNI_ARGS", "A=1;B=é\n", "CNI_COMMAND", "ADD"), "{\"a\":\"\0é\"}");
    assertThat(Call.parse(call.text().getBytes(java.nio.charset.StandardCharsets.UTF_8)))
        .isEqualTo(call);
    assertThat(Call.parse(new byte[0])).isEqualTo(new Call(Map.of(), ""));
    assertThat(Call.parse(new byte[] {'x'}).conf()).isEmpty();
  }

  private Answer ask(String command, String conf) {
    variables.put("CNI_COMMAND", command);
    return cni.answer(variables, conf);
  }

  private static String conf(String version, String more) {
    return ("{'cniVersion':'" + version + "','name':'net','type':'flannelvlan-cni'," + more + "}")
        .replace('\'', '"');
  }

  private static void assertError(Answer answer, int code, String word) {
    assertThat(answer.ok()).isFalse();
    JsonNode error = json(new Answer(true, answer.text()));
    assertThat(error.path("code").asInt()).as(answer.text()).isEqualTo(code);
    assertThat(error.path("msg").asText()).contains(word);
    assertThat(error.path("cniVersion").asText()).isNotEmpty();
  }

  private static JsonNode json(Answer answer) {
    assertThat(answer.ok()).as(answer.text()).isTrue();
    try {
      return MAPPER.readTree(answer.text());
    } catch (JsonProcessingException e) {
      throw new AssertionError(answer.text(), e);
    }
  }
}
