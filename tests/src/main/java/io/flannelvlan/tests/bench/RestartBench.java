package io.flannelvlan.tests.bench;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * How long nobody answers when the plugin is killed and started again, with VLANs and endpoints:
 * from the start of its process to the answer to a call that needs journal and kernel.
 */
record RestartBench(Host host, List<String> networks) {
  private static final int ENDPOINTS_EACH = 5;
  private static final int ROUNDS = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  Line run() {
    Map<BareEndpoint, String> endpoints = new LinkedHashMap<>();
    try (PluginSocket plugin = new PluginSocket(host.pluginSocket())) {
      for (String name : networks) {
        String id = inspect(name, "{{.Id}}");
        String pool = "flannelvlan/" + inspect(name, "{{(index .IPAM.Config 0).Subnet}}");
        for (int i = 0; i < ENDPOINTS_EACH; i++) {
          BareEndpoint endpoint = BareEndpoint.numbered(id, pool, endpoints.size() + 1);
          endpoints.put(endpoint, endpoint.attach(plugin));
        }
      }
    }
    List<Double> activated = new ArrayList<>();
    List<Double> served = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      host.plugin().kill();
      long start = System.nanoTime();
      host.plugin().launch();
      awaitAnswer(plugin -> plugin.call("Plugin.Activate", "{}"));
      activated.add((System.nanoTime() - start) / 1e6);
      BareEndpoint last = endpoints.keySet().stream().reduce((_, next) -> next).orElseThrow();
      awaitAnswer(last::join);
      served.add((System.nanoTime() - start) / 1e6);
    }
    try (PluginSocket plugin = new PluginSocket(host.pluginSocket())) {
      endpoints.forEach((endpoint, address) -> endpoint.detach(plugin, address));
    }
    return new Line(
        "kill to serving again, %d VLANs and %d endpoints, ms"
            .formatted(networks.size(), endpoints.size()),
        "Activate %.0f ms".formatted(new Rounds(activated).median()),
        "none",
        new Rounds(served).median(),
        Line.Bound.atMost(1000));
  }

  private String inspect(String network, String format) {
    return host.docker("network", "inspect", "--format", format, network).text();
  }

  private void awaitAnswer(Consumer<PluginSocket> call) {
    Await.closely(PATIENCE, () -> "the plugin does not serve", () -> isAnswered(call));
  }

  private boolean isAnswered(Consumer<PluginSocket> call) {
    try (PluginSocket plugin = new PluginSocket(host.pluginSocket())) {
      call.accept(plugin);
      return true;
    } catch (UncheckedIOException _) {
      return false;
    }
  }
}
