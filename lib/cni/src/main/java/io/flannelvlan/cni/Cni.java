package io.flannelvlan.cni;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.cni.CniApi.Wish;
import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One call of a runtime: from its variables and its configuration to what is printed. */
public final class Cni {

  private static final Logger LOG = LoggerFactory.getLogger(Cni.class);

  private final CniApi api;

  public Cni(CniApi api) {
    this.api = api;
  }

  /**
   * What the plugin prints, and how it ends.
   *
   * @param text JSON, or nothing
   */
  public record Answer(boolean ok, String text) {}

  /** Never throws: whatever goes wrong is an error object. */
  public Answer answer(Map<String, String> variables, String conf) {
    long start = System.nanoTime();
    Answer answer = answered(variables, conf);
    LOG.debug(
        "CNI {} {} {}: {} in {} ms",
        variables.getOrDefault("CNI_COMMAND", ""),
        variables.getOrDefault("CNI_CONTAINERID", ""),
        variables.getOrDefault("CNI_IFNAME", ""),
        answer.ok() ? "done" : answer.text(),
        (System.nanoTime() - start) / 1_000_000);
    return answer;
  }

  private Answer answered(Map<String, String> variables, String conf) {
    try {
      Environment environment = Environment.of(variables);
      return new Answer(true, carryOut(environment, conf));
    } catch (CniException e) {
      return error(conf, e.code(), String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      LOG.error("CNI {} failed", variables.getOrDefault("CNI_COMMAND", ""), e);
      return error(conf, Code.FAILED, "failed: " + e + "; flannelvlan's log has more");
    }
  }

  private String carryOut(Environment environment, String text) {
    if (environment.command() == Command.VERSION) {
      return SpecVersion.answer(text);
    }
    Conf conf = ConfJson.read(text, environment.command());
    return switch (environment.command()) {
      case ADD -> add(environment, conf);
      case DEL -> {
        api.delete(environment.attachment(conf.name()), environment.netns());
        yield "";
      }
      case CHECK -> {
        check(environment, conf);
        yield "";
      }
      case GC -> {
        api.collect(conf.name(), conf.valid());
        yield "";
      }
      case STATUS -> {
        api.status(conf.vlan());
        yield "";
      }
      case VERSION -> SpecVersion.answer(text);
    };
  }

  private String add(Environment environment, Conf conf) {
    environment.requireKnownArguments();
    AttachmentId id = environment.attachment(conf.name());
    Path netns = environment.requiredNetns();
    return ResultJson.of(conf, netns, api.add(id, netns, wishes(environment, conf, id)));
  }

  private static List<Wish> wishes(Environment environment, Conf conf, AttachmentId id) {
    List<Choice> choices = Choice.named(choices(conf), id.ifname());
    List<IpAddress> addresses = environment.address().map(List::of).orElseGet(conf::addresses);
    if (addresses.size() > choices.size()) {
      throw new CniException(
          Code.INVALID_CONFIGURATION,
          addresses.size() + " addresses are asked for " + choices.size() + " VLAN");
    }
    Optional<MacAddress> mac = conf.mac().or(environment::mac);
    return IntStream.range(0, choices.size())
        .mapToObj(i ->
            new Wish(
                choices.get(i).vlan(),
                choices.get(i).ifname().orElseThrow(),
                i < addresses.size() ? Optional.of(addresses.get(i)) : Optional.empty(),
                i == 0 ? mac : Optional.empty()))
        .toList();
  }

  private static List<Choice> choices(Conf conf) {
    if (conf.annotation().isPresent()) {
      return Choice.parse(conf.annotation().get());
    }
    return List.of(
        new Choice(
            conf.vlan()
                .orElseThrow(() ->
                    new CniException(
                        Code.INVALID_CONFIGURATION,
                        "no VLAN is chosen: give \"network\": \"vlan002\" in the configuration of "
                            + conf.name()
                            + ", or the pod the annotation "
                            + Conf.ANNOTATION)),
            Optional.empty()));
  }

  private void check(Environment environment, Conf conf) {
    AttachmentId id = environment.attachment(conf.name());
    Path netns = environment.requiredNetns();
    JsonNode previous =
        conf.previous()
            .orElseThrow(
                () -> new CniException(Code.INVALID_CONFIGURATION, "CHECK needs \"prevResult\""));
    api.check(id, netns, ResultJson.expected(previous, netns));
  }

  private static Answer error(String conf, Code code, String sentence) {
    ObjectNode error = JsonNodeFactory.instance.objectNode();
    error.put("cniVersion", SpecVersion.ofAnswerTo(conf).toString());
    error.put("code", code.number()).put("msg", sentence);
    return new Answer(false, error.toString());
  }
}
