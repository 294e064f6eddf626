package io.flannelvlan.tests.bench;

/** An endpoint as dockerd asks for it, without dockerd. */
record BareEndpoint(String network, String poolId, String id) {

  /**
   * Links are named by the first digits, which differ from endpoint to endpoint in Docker's ids.
   */
  static BareEndpoint numbered(String network, String poolId, int number) {
    return new BareEndpoint(network, poolId, "%012x%052x".formatted(number, 0));
  }

  /** All that dockerd waits for when a container starts; the address that was given. */
  String attach(PluginSocket plugin) {
    String request =
        """
        {"PoolID":"%s","Address":"","Options":null}\
        """
            .formatted(poolId);
    String reply = plugin.call("IpamDriver.RequestAddress", request);
    String address = PluginSocket.field(reply, "Address");
    plugin.call(
        "NetworkDriver.CreateEndpoint",
        """
        {%s,"Interface":{"Address":"%s","AddressIPv6":"","MacAddress":""},"Options":{}}\
        """
            .formatted(ids(), address));
    join(plugin);
    return address;
  }

  /** Repeated, it is answered again. */
  void join(PluginSocket plugin) {
    plugin.call(
        "NetworkDriver.Join",
        "{" + ids() + ",\"SandboxKey\":\"/run/docker/netns/bench\",\"Options\":{}}");
  }

  void detach(PluginSocket plugin, String address) {
    plugin.call("NetworkDriver.Leave", "{" + ids() + "}");
    plugin.call("NetworkDriver.DeleteEndpoint", "{" + ids() + "}");
    String bare = address.substring(0, address.indexOf('/'));
    plugin.call(
        "IpamDriver.ReleaseAddress",
        "{\"PoolID\":\"" + poolId + "\",\"Address\":\"" + bare + "\"}");
  }

  private String ids() {
    return "\"NetworkID\":\"" + network + "\",\"EndpointID\":\"" + id + "\"";
  }
}
