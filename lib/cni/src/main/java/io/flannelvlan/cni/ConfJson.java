package io.flannelvlan.cni;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads a configuration. Keys that belong to other plugins, or to nobody, are no error. */
final class ConfJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** The capability by which containerd hands a pod's annotations on. */
  private static final String POD_ANNOTATIONS = "io.kubernetes.cri.pod-annotations";

  private static final String VALID = "cni.dev/valid-attachments";

  private final JsonNode root;
  private final Command command;

  private ConfJson(JsonNode root, Command command) {
    this.root = root;
    this.command = command;
  }

  /**
   * Reads what the command needs.
   *
   * @throws CniException if it is broken, incomplete, or of a version that is not spoken
   */
  static Conf read(String text, Command command) {
    JsonNode root;
    try {
      root = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CniException(
          Code.UNDECODABLE, "the configuration is not JSON: " + e.getOriginalMessage(), e);
    }
    if (!root.isObject()) {
      throw new CniException(Code.UNDECODABLE, "the configuration is no JSON object");
    }
    return new ConfJson(root, command).read();
  }

  private Conf read() {
    SpecVersion version = version();
    String name = text(root, "name").orElse("");
    if (!Names.isIdentifier(name)) {
      throw invalid("\"name\" is \"" + name + "\", which the specification does not allow");
    }
    // Whatever a configuration wishes, what an ADD made by it can be taken away.
    JsonNode wishes =
        command == Command.DEL || command == Command.GC ? MissingNode.getInstance() : root;
    refuseOthersIpam(wishes);
    JsonNode runtime = wishes.path("runtimeConfig");
    JsonNode arguments = wishes.path("args").path("cni");
    return new Conf(
        version,
        name,
        text(wishes, "network"),
        text(runtime.path(POD_ANNOTATIONS), Conf.ANNOTATION),
        addresses(node(runtime, "ips").orElseGet(() -> arguments.path("ips"))),
        text(runtime, "mac").or(() -> text(arguments, "mac")).map(ConfJson::mac),
        node(wishes, "prevResult"),
        node(wishes, "dns"),
        command == Command.GC ? valid(name) : Set.of());
  }

  /** Who names another allocator expects its addresses; the VLAN's are the daemon's alone. */
  private static void refuseOthersIpam(JsonNode wishes) {
    node(wishes, "ipam")
        .filter(ipam -> !ipam.isEmpty())
        .ifPresent(ipam -> {
          throw new CniException(
              Code.UNSUPPORTED_FIELD,
              "\"ipam\" is "
                  + ipam
                  + ", but addresses come from the VLAN's own subnet on this host: leave it out");
        });
  }

  private SpecVersion version() {
    String text = text(root, "cniVersion").orElse("");
    SpecVersion version =
        SpecVersion.of(text)
            .orElseThrow(() ->
                new CniException(
                    Code.INCOMPATIBLE_VERSION,
                    "\"cniVersion\" is \""
                        + text
                        + "\"; flannelvlan-cni speaks 0.3.1, 0.4.0, 1.0.0 and 1.1.0"));
    if (!version.isSince(command.since())) {
      throw new CniException(
          Code.INCOMPATIBLE_VERSION,
          command + " is of version " + command.since() + ", \"cniVersion\" says " + version);
    }
    return version;
  }

  private static List<IpAddress> addresses(JsonNode given) {
    List<IpAddress> all = new ArrayList<>();
    for (JsonNode each : given) {
      try {
        all.add(IpAddress.parse(each.asText().replaceFirst("/\\d+$", "")));
      } catch (IllegalArgumentException e) {
        throw new CniException(Code.INVALID_CONFIGURATION, "\"ips\": " + e.getMessage(), e);
      }
    }
    return all;
  }

  private static MacAddress mac(String text) {
    try {
      return MacAddress.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CniException(Code.INVALID_CONFIGURATION, "\"mac\": " + e.getMessage(), e);
    }
  }

  /** Without the list nothing is known of who is valid, and nobody may go. */
  private Set<AttachmentId> valid(String name) {
    JsonNode list = root.path(VALID);
    if (!list.isArray()) {
      throw invalid("GC needs the list \"" + VALID + "\"");
    }
    Set<AttachmentId> all = new HashSet<>();
    for (JsonNode each : list) {
      String container = text(each, "containerID").orElse("");
      String ifname = text(each, "ifname").orElse("");
      if (container.isEmpty() || ifname.isEmpty()) {
        throw invalid("\"" + VALID + "\" has an entry without containerID or ifname");
      }
      all.add(new AttachmentId(name, container, ifname));
    }
    return all;
  }

  private static Optional<JsonNode> node(JsonNode parent, String name) {
    return Optional.of(parent.path(name))
        .filter(node -> !(node instanceof MissingNode) && !node.isNull());
  }

  private static Optional<String> text(JsonNode parent, String name) {
    return node(parent, name)
        .map(node -> {
          if (!node.isTextual()) {
            throw invalid("\"" + name + "\" is " + node + ", not a text");
          }
          return node.textValue();
        })
        .filter(text -> !text.isEmpty());
  }

  private static CniException invalid(String sentence) {
    return new CniException(Code.INVALID_CONFIGURATION, sentence);
  }
}
