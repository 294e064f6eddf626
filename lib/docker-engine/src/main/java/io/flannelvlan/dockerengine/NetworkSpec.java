package io.flannelvlan.dockerengine;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the user asked for with {@code docker network create}, in the engine's words.
 *
 * @param options for the driver
 * @param ipamDriver {@code default} is Docker's own
 */
public record NetworkSpec(
    boolean internal,
    boolean ipv6,
    Map<String, String> options,
    String ipamDriver,
    Map<String, String> ipamOptions,
    List<Pool> pools) {

  /**
   * One {@code --subnet}.
   *
   * @param auxiliary addresses that the user set aside, by the user's names
   */
  public record Pool(
      String subnet,
      Optional<String> ipRange,
      Optional<String> gateway,
      Map<String, String> auxiliary) {

    public Pool {
      auxiliary = Map.copyOf(auxiliary);
    }
  }

  public NetworkSpec {
    options = Map.copyOf(options);
    ipamOptions = Map.copyOf(ipamOptions);
    pools = List.copyOf(pools);
  }
}
