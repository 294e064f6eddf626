package io.flannelvlan.tests.rules;

/** What dockerd writes to the plugin, where a test makes its calls. */
final class Bodies {
  private Bodies() {}

  static String requestPool(String range) {
    return "{" + space(range) + ",\"SubPool\":\"\",\"Options\":{},\"V6\":false}";
  }

  static String createNetwork(String network, String range, int vni, String gateway) {
    return "{\"NetworkID\":\"%s\",\"Options\":{\"com.docker.network.enable_ipv6\":false,"
            .formatted(network)
        + "\"com.docker.network.generic\":{\"vni\":\"%d\"}},\"IPv4Data\":[{".formatted(vni)
        + space(range)
        + ",\"Gateway\":\"%s\"}],\"IPv6Data\":[]}".formatted(gateway);
  }

  static String requestAddress(String range) {
    return "{" + pool(range) + ",\"Address\":\"\"}";
  }

  /**
   * ReleaseAddress.
   *
   * @param address with its prefix length
   */
  static String releaseAddress(String range, String address) {
    return "{%s,\"Address\":\"%s\"}".formatted(pool(range), address.replaceAll("/.*", ""));
  }

  static String releasePool(String range) {
    return "{" + pool(range) + "}";
  }

  static String createEndpoint(String network, String endpoint, String address) {
    return with(
        network,
        endpoint,
        "\"Interface\":{\"Address\":\"%s\",\"AddressIPv6\":\"\",\"MacAddress\":\"\"},\"Options\":{}"
            .formatted(address));
  }

  static String join(String network, String endpoint) {
    return join(network, endpoint, "/run/s");
  }

  static String join(String network, String endpoint, String sandbox) {
    return with(network, endpoint, "\"SandboxKey\":\"" + sandbox + "\",\"Options\":{}");
  }

  static String publish(String network, String endpoint, int port) {
    String binding =
        "{\"Proto\":6,\"IP\":\"\",\"Port\":80,\"HostIP\":\"\",\"HostPort\":%d,\"HostPortEnd\":%<d}"
            .formatted(port);
    return with(
        network, endpoint, "\"Options\":{\"com.docker.network.portmap\":[" + binding + "]}");
  }

  static String endpoint(String network, String endpoint) {
    return "{\"NetworkID\":\"%s\",\"EndpointID\":\"%s\"}".formatted(network, endpoint);
  }

  static String network(String network) {
    return "{\"NetworkID\":\"%s\"}".formatted(network);
  }

  /** The text of the member of an answer whose name ends so. */
  static String member(String answer, String name) {
    return answer.replaceFirst(".*" + name + "\":\"([^\"]*)\".*", "$1");
  }

  private static String with(String network, String endpoint, String more) {
    return endpoint(network, endpoint).replace("}", "," + more + "}");
  }

  private static String space(String range) {
    return "\"AddressSpace\":\"flannelvlan\",\"Pool\":\"" + range + "\"";
  }

  private static String pool(String range) {
    return "\"PoolID\":\"flannelvlan/" + range + "\"";
  }
}
