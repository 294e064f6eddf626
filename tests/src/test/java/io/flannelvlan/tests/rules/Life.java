package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Host;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The calls of one network and one container from their beginning to their end, as dockerd makes
 * them, one at a time. A call may be lost by the plugin's end; then it is made again, or dockerd
 * gives it up and takes back what led there.
 */
final class Life implements Victim.Course {
  private static final AtomicInteger IDS = new AtomicInteger();

  /**
   * One call.
   *
   * @param body may hold what earlier ones answered
   * @param givenUp what dockerd does if it is lost
   */
  private record Call(String verb, Supplier<String> body, Runnable givenUp) {}

  private final Host host;
  private final int vlan;
  private final String range;
  private String network = "";
  private String endpoint = "";
  private String gateway = "";
  private String address = "";
  private int made;
  private final List<Call> calls;

  /** In a VLAN of the host's own, with that VNI. */
  Life(Host host, int vlan) {
    this.host = host;
    this.vlan = vlan;
    this.range = "10." + vlan + ".0.0/16";
    this.calls =
        List.of(
            new Call("IpamDriver.RequestPool", () -> Bodies.requestPool(range), () -> {}),
            new Call("NetworkDriver.CreateNetwork", this::createNetwork, this::withoutNetwork),
            new Call("IpamDriver.RequestAddress", () -> Bodies.requestAddress(range), () -> {}),
            new Call("NetworkDriver.CreateEndpoint", this::createEndpoint, this::withoutEndpoint),
            new Call(
                "NetworkDriver.Join", () -> Bodies.join(network, endpoint), this::withoutSandbox),
            new Call(
                "NetworkDriver.ProgramExternalConnectivity",
                () -> Bodies.publish(network, endpoint, 8080),
                this::withoutPorts),
            ending("NetworkDriver.RevokeExternalConnectivity", this::endpoint),
            ending("NetworkDriver.Leave", this::endpoint),
            ending("NetworkDriver.DeleteEndpoint", this::endpoint),
            ending("IpamDriver.ReleaseAddress", () -> Bodies.releaseAddress(range, address)),
            ending("IpamDriver.ReleasePool", () -> Bodies.releasePool(range)),
            ending("NetworkDriver.DeleteNetwork", () -> Bodies.network(network)));
  }

  /** dockerd passes over a failure of these, and goes on. */
  private Call ending(String verb, Supplier<String> body) {
    return new Call(verb, body, () -> made++);
  }

  private String createNetwork() {
    network = network.isEmpty() ? id() : network;
    return Bodies.createNetwork(network, range, vlan, gateway);
  }

  private String createEndpoint() {
    endpoint = endpoint.isEmpty() ? id() : endpoint;
    return Bodies.createEndpoint(network, endpoint, address);
  }

  private String endpoint() {
    return Bodies.endpoint(network, endpoint);
  }

  /** Links' names have its first twelve digits. */
  private static String id() {
    return "%012x".formatted(IDS.incrementAndGet()).repeat(6).substring(0, 64);
  }

  private void withoutNetwork() {
    now("IpamDriver.ReleaseAddress", Bodies.releaseAddress(range, gateway));
    now("IpamDriver.ReleasePool", Bodies.releasePool(range));
    network = "";
    gateway = "";
    made = 0;
  }

  private void withoutPorts() {
    now("NetworkDriver.Leave", endpoint());
    withoutSandbox();
  }

  private void withoutSandbox() {
    now("NetworkDriver.DeleteEndpoint", endpoint());
    withoutEndpoint();
  }

  private void withoutEndpoint() {
    now("IpamDriver.ReleaseAddress", Bodies.releaseAddress(range, address));
    endpoint = "";
    made = 2;
  }

  private void now(String verb, String body) {
    Wire.Reply reply =
        answer(verb, body).orElseThrow(() -> new AssertionError(verb + " is not answered"));
    assertThat(reply.body()).as(verb).isEqualTo("{}");
  }

  String network() {
    return network;
  }

  @Override
  public boolean isOver() {
    return made == calls.size();
  }

  @Override
  public String next() {
    return isOver() ? "nothing" : calls.get(made).verb;
  }

  @Override
  public boolean step() {
    Call call = calls.get(made);
    Optional<Wire.Reply> reply = answer(call.verb, call.body.get());
    if (reply.isEmpty()) {
      return false;
    }
    String answer = reply.get().body();
    assertThat(reply.get().ok()).as(call.verb + ": " + answer).isTrue();
    switch (call.verb) {
      case "IpamDriver.RequestPool" -> gateway = sameGateway(Bodies.member(answer, "gateway"));
      // dockerd knows nothing of an address whose answer was lost, and may well get another.
      case "IpamDriver.RequestAddress" -> address = Bodies.member(answer, "Address");
      case "NetworkDriver.CreateEndpoint" ->
          assertThat(Bodies.member(answer, "MacAddress"))
              .startsWith("0a:58:0a:%02x:".formatted(vlan));
      case "NetworkDriver.Join" ->
          assertThat(answer).contains("\"fc" + endpoint.substring(0, 12) + "\"");
      default -> assertThat(answer).isEqualTo("{}");
    }
    made++;
    return true;
  }

  @Override
  public void giveUp() {
    calls.get(made).givenUp.run();
  }

  private Optional<Wire.Reply> answer(String verb, String body) {
    return Wire.answered(host.pluginSocket(), verb, body);
  }

  private String sameGateway(String now) {
    if (!gateway.isEmpty()) {
      assertThat(now).isEqualTo(gateway);
    }
    return now;
  }
}
