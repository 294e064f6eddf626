package io.flannelvlan.tests.engine;

import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The published ports that the host's packet filter knows, at whatever address. */
final class NftPorts {
  /** Such as {@code 6 . 8080 : 10.1.20.2 . 80}, after an address where it has one. */
  private static final Pattern ELEMENT = Pattern.compile("(\\d+) \\. (\\d+) : ([\\d.]+) \\. \\d+");

  private static final Map<String, String> PROTOCOLS =
      Map.of("6", "tcp", "17", "udp", "132", "sctp");

  private NftPorts() {}

  /** One of them and the container's address. */
  record Port(String protocol, int number, String target) {}

  static List<Port> of(Host host) {
    String maps =
        host.in("nft", "--numeric", "list", "table", "inet", "flannelvlan").orThrow().out();
    return ELEMENT
        .matcher(maps)
        .results()
        .map(m ->
            new Port(
                PROTOCOLS.getOrDefault(m.group(1), ""), Integer.parseInt(m.group(2)), m.group(3)))
        .sorted((x, y) -> x.toString().compareTo(y.toString()))
        .toList();
  }
}
