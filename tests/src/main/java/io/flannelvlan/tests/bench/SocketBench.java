package io.flannelvlan.tests.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What dockerd waits for when a container starts, without dockerd. */
record SocketBench(Path socket) {
  private static final int WARM_UP = 100;
  private static final int COUNTED = 200;
  private static final String NETWORK = "b".repeat(64);
  private static final String RANGE = "10.203.0.0/16";

  Line run() {
    try (PluginSocket plugin = new PluginSocket(socket)) {
      String spaces = plugin.call("IpamDriver.GetDefaultAddressSpaces", "{}");
      String space = PluginSocket.field(spaces, "LocalDefaultAddressSpace");
      String pool =
          plugin.call(
              "IpamDriver.RequestPool",
              """
              {"AddressSpace":"%s","Pool":"%s","SubPool":"","Options":{},"V6":false}\
              """
                  .formatted(space, RANGE));
      String poolId = PluginSocket.field(pool, "PoolID");
      String gateway = PluginSocket.field(pool, "com.docker.network.gateway");
      plugin.call(
          "NetworkDriver.CreateNetwork",
          """
          {"NetworkID":"%s","Options":{"com.docker.network.generic":{"vni":"203"}},\
          "IPv4Data":[{"AddressSpace":"%s","Gateway":"%s","Pool":"%s"}],"IPv6Data":[]}\
          """
              .formatted(NETWORK, space, gateway, RANGE));
      List<Double> times = new ArrayList<>();
      for (int i = 0; i < WARM_UP + COUNTED; i++) {
        BareEndpoint endpoint = BareEndpoint.numbered(NETWORK, poolId, i + 1);
        // Only the way in is timed; the way out makes room for the next.
        long start = System.nanoTime();
        String address = endpoint.attach(plugin);
        double time = (System.nanoTime() - start) / 1e6;
        endpoint.detach(plugin, address);
        if (i >= WARM_UP) {
          times.add(time);
        }
      }
      plugin.call("NetworkDriver.DeleteNetwork", "{\"NetworkID\":\"" + NETWORK + "\"}");
      plugin.call("IpamDriver.ReleasePool", "{\"PoolID\":\"" + poolId + "\"}");
      return line(new Rounds(times));
    }
  }

  private static Line line(Rounds rounds) {
    return new Line(
        "RequestAddress + CreateEndpoint + Join, ms",
        "p99 %.1f ms".formatted(rounds.percentile(99)),
        "none",
        rounds.median(),
        Line.Bound.atMost(4));
  }
}
