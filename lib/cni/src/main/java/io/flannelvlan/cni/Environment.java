package io.flannelvlan.cni;

import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The variables by which a runtime says what it wants.
 *
 * @param arguments CNI_ARGS
 */
record Environment(
    Command command,
    Optional<String> container,
    Optional<Path> netns,
    Optional<String> ifname,
    Map<String, String> arguments) {

  private static final String IGNORE_UNKNOWN = "IgnoreUnknown";
  private static final String IP = "IP";
  private static final String MAC = "MAC";

  /**
   * Reads the variables.
   *
   * @throws CniException if one can't be meant
   */
  static Environment of(Map<String, String> variables) {
    return new Environment(
        command(given(variables, "CNI_COMMAND").orElse("")),
        given(variables, "CNI_CONTAINERID")
            .map(id -> require(id, "CNI_CONTAINERID", Names.isIdentifier(id))),
        given(variables, "CNI_NETNS").map(Environment::path),
        given(variables, "CNI_IFNAME").map(name -> require(name, "CNI_IFNAME", Names.isLink(name))),
        arguments(given(variables, "CNI_ARGS").orElse("")));
  }

  private static Optional<String> given(Map<String, String> variables, String name) {
    return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
  }

  private static Command command(String text) {
    return Arrays.stream(Command.values())
        .filter(command -> command.name().equals(text))
        .findFirst()
        .orElseThrow(() ->
            wrong(
                "CNI_COMMAND is \""
                    + text
                    + "\", not one of ADD, DEL, CHECK, GC, STATUS,"
                    + " VERSION"));
  }

  private static String require(String value, String variable, boolean right) {
    if (!right) {
      throw wrong(variable + " is \"" + value + "\", which the specification does not allow");
    }
    return value;
  }

  private static Path path(String text) {
    Path path = Path.of(text);
    if (!path.isAbsolute()) {
      throw wrong("CNI_NETNS is \"" + text + "\", not an absolute path");
    }
    return path;
  }

  /** {@code IgnoreUnknown=1;IP=10.2.20.5;K8S_POD_NAME=web}. */
  private static Map<String, String> arguments(String text) {
    Map<String, String> all = new TreeMap<>();
    for (String pair : text.split(";", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        all.put(pair.substring(0, equals), pair.substring(equals + 1));
      } else if (!pair.isBlank()) {
        throw wrong("CNI_ARGS has \"" + pair + "\", which is not KEY=VALUE");
      }
    }
    return all;
  }

  /**
   * Refuses arguments that mean something to their giver, but not to us.
   *
   * @throws CniException naming them
   */
  void requireKnownArguments() {
    if (isTrue(arguments.getOrDefault(IGNORE_UNKNOWN, ""))) {
      return;
    }
    Map<String, String> left = new TreeMap<>(arguments);
    left.remove(IGNORE_UNKNOWN);
    left.remove(IP);
    left.remove(MAC);
    if (!left.isEmpty()) {
      throw wrong(
          "CNI_ARGS has "
              + String.join(", ", left.keySet())
              + "; known are IP and MAC, and IgnoreUnknown=1 lets others pass");
    }
  }

  private static boolean isTrue(String text) {
    return text.equals("1") || text.equalsIgnoreCase("true");
  }

  Optional<IpAddress> address() {
    return argument(IP, text -> IpAddress.parse(text.replaceFirst("/\\d+$", "")));
  }

  Optional<MacAddress> mac() {
    return argument(MAC, MacAddress::parse);
  }

  private <T> Optional<T> argument(String key, Function<String, T> reader) {
    try {
      return Optional.ofNullable(arguments.get(key)).filter(v -> !v.isBlank()).map(reader);
    } catch (IllegalArgumentException e) {
      throw new CniException(
          Code.INVALID_ENVIRONMENT, "CNI_ARGS, " + key + ": " + e.getMessage(), e);
    }
  }

  /** What DEL, CHECK and ADD are about. */
  AttachmentId attachment(String network) {
    return new AttachmentId(
        network, required(container, "CNI_CONTAINERID"), required(ifname, "CNI_IFNAME"));
  }

  Path requiredNetns() {
    return required(netns, "CNI_NETNS");
  }

  private <T> T required(Optional<T> value, String variable) {
    return value.orElseThrow(() -> wrong(command + " needs " + variable));
  }

  private static CniException wrong(String sentence) {
    return new CniException(Code.INVALID_ENVIRONMENT, sentence);
  }
}
