package io.flannelvlan.tests.cni;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flannelvlan.tests.lab.Examples;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * A manifest of docs/examples, as far as a kubelet would hand it to its container runtime.
 *
 * @param annotations of each pod
 * @param hostPorts and which of the pod's each leads to
 * @param replicas how many pods
 */
record Manifest(
    String name, Map<String, String> annotations, Map<Integer, Integer> hostPorts, int replicas) {

  static Manifest of(String example) {
    Object read = new Yaml(new SafeConstructor(new LoaderOptions())).load(Examples.text(example));
    JsonNode root = new ObjectMapper().valueToTree(read);
    // A deployment has the pods' own part in a template.
    JsonNode template = root.path("spec").path("template");
    JsonNode pod = template.isMissingNode() ? root : template;
    Map<String, String> annotations = new TreeMap<>();
    pod.path("metadata")
        .path("annotations")
        .forEachEntry((key, value) -> annotations.put(key, value.asText()));
    Map<Integer, Integer> ports = new TreeMap<>();
    for (JsonNode container : pod.path("spec").path("containers")) {
      for (JsonNode port : container.path("ports")) {
        ports.put(port.path("hostPort").asInt(), port.path("containerPort").asInt());
      }
    }
    return new Manifest(
        root.path("metadata").path("name").asText(),
        annotations,
        ports,
        root.path("spec").path("replicas").asInt(1));
  }
}
