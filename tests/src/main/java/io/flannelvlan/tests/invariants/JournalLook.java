package io.flannelvlan.tests.invariants;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LabException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What stands in a host's journal: a line per commit, each a checksum, a blank, and JSON of what
 * was put and removed.
 */
public record JournalLook(Map<String, Map<String, JsonNode>> tables) {
  private static final int CHECKSUM = 9;

  public static JournalLook at(Path stateDir) {
    JournalLook look = new JournalLook(new TreeMap<>());
    String text = read(stateDir.resolve("journal"));
    // What follows the last line's end is a commit that is being written.
    text.substring(0, text.lastIndexOf('\n') + 1)
        .lines()
        .skip(1)
        .map(line -> Json.read(line.substring(CHECKSUM)))
        .forEach(look::apply);
    return look;
  }

  /** The records of a table by their keys. */
  Map<String, JsonNode> table(String name) {
    return tables.computeIfAbsent(name, _ -> new TreeMap<>());
  }

  Stream<String> keys(String table) {
    return table(table).keySet().stream();
  }

  /** What CNI runtimes attached, by {@link Host#runDir}'s journal of it. */
  public static List<String> attachmentsOf(Host host) {
    return at(host.runDir().resolve("cni")).keys("cni").toList();
  }

  /** The VLAN of a Docker network. */
  Optional<String> vlanOf(String network) {
    return Optional.ofNullable(table("network").get(network)).map(n -> n.path("vlan").asText());
  }

  /** Every VLAN's subnets of this host. */
  Stream<String> leases() {
    return table("vlan").entrySet().stream()
        .flatMap(vlan ->
            Json.elements(vlan.getValue().path("subnets"))
                .map(subnet -> vlan.getKey() + " " + subnet.asText()));
  }

  /** The subnets of all hosts of the VLAN that a restart without etcd would know. */
  public Stream<String> peers(String vlan) {
    List<String> keys = new ArrayList<>();
    JsonNode known = table("peers").getOrDefault(vlan, MissingNode.getInstance());
    known.path("standing").fieldNames().forEachRemaining(keys::add);
    return keys.stream().map(key -> key.replace('-', '/'));
  }

  private void apply(JsonNode commit) {
    commit
        .path("put")
        .forEachEntry((table, records) -> records.forEachEntry((k, v) -> table(table).put(k, v)));
    commit
        .path("remove")
        .forEachEntry((table, keys) -> keys.forEach(key -> table(table).remove(key.asText())));
  }

  private static String read(Path journal) {
    try {
      return Files.readString(journal, StandardCharsets.UTF_8);
    } catch (NoSuchFileException notStartedYet) {
      return "";
    } catch (IOException e) {
      throw new LabException("cannot read " + journal, e);
    }
  }
}
