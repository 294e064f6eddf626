package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.NetworkApi.IpamData;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.flannel.NetworkConfig;
import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.flannel.Vxlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which VLAN a CreateNetwork means, and which subnet of it this host shall have; pure.
 *
 * @param vlan stands in etcd already, or is to be made with exactly this content
 * @param exists whether it stands in etcd
 * @param subnet this host's
 */
record VlanChoice(Vlan vlan, boolean exists, Cidr subnet) {

  private static final Cidr PRIVATE_TEN = Cidr.parse("10.0.0.0/8");

  /** Four /24; a smaller pool is rather meant as one host's subnet. */
  private static final int LONGEST_SUGGESTED = 22;

  /**
   * With our own IPAM: the pool is the VLAN's range, and the gateway tells the subnet that
   * RequestPool reserved.
   *
   * @param poolsNetwork the name that {@code --ipam-opt network=} gave
   * @throws Refused if the options, the pool and what stands in etcd contradict each other
   */
  static VlanChoice byRange(
      IpamData data, NetworkOptions options, Optional<String> poolsNetwork, Vlans vlans) {
    Cidr subnet =
        data.gateway()
            .orElseThrow(() -> new Refused("network without a gateway: leave out --gateway"))
            .subnet();
    Optional<Vlan> standing =
        vlans.byName().values().stream().filter(v -> v.range().equals(data.pool())).findFirst();
    if (standing.isPresent()) {
      // A pool of a VLAN that stands carries its name, asked for or not.
      requireAgreement(standing.get(), options, options.network());
      requireAgreement(standing.get(), options, poolsNetwork);
      return new VlanChoice(standing.get(), true, subnet);
    }
    Optional<String> name = agreed(options.network(), poolsNetwork);
    Vni vni = options.vni().orElseGet(vlans::freeVni);
    Vlan made = made(name.orElseGet(() -> Vlan.nameOf(vni)), data.pool(), vni, options);
    requireFree(made, vlans);
    return new VlanChoice(made, false, subnet);
  }

  /**
   * With Docker's own IPAM, which numbers containers from the same first address on every host:
   * safe only if the pool is exactly one subnet of the VLAN, this host's alone, which the caller
   * has to see to.
   *
   * @throws Refused if no VLAN is there to take it of, with the command that is right
   */
  static VlanChoice bySubnet(IpamData data, NetworkOptions options, Vlans vlans) {
    Optional<Vlan> meant = meant(data.pool(), options, vlans);
    if (meant.isEmpty()) {
      throw new Refused(
          "without --ipam-driver flannelvlan, Docker would give the same addresses on every host."
              + " Use: "
              + DockerCommands.toMake(suggestedRange(data.pool(), vlans), options, vlans));
    }
    requireAgreement(meant.get(), options, options.network());
    return new VlanChoice(meant.get(), true, data.pool());
  }

  /** The store sees to this too; here the user is told what to do about it. */
  private static void requireFree(Vlan made, Vlans vlans) {
    vlans
        .find(made.name())
        .ifPresent(standing -> {
          throw new Refused(
              "VLAN "
                  + standing
                  + " is not "
                  + made.range()
                  + ": give --subnet "
                  + standing.range()
                  + " to join it, or another --opt vni= or network= to make one");
        });
    vlans
        .find(made.vni())
        .ifPresent(standing -> {
          throw new Refused(
              "VNI "
                  + made.vni()
                  + " belongs to VLAN "
                  + standing
                  + ": give another --opt vni=, or leave it out");
        });
  }

  private static Optional<Vlan> meant(Cidr subnet, NetworkOptions options, Vlans vlans) {
    if (options.network().isPresent()) {
      return vlans.find(options.network().get());
    }
    return options.vni().isPresent() ? vlans.find(options.vni().get()) : around(subnet, vlans);
  }

  private static Optional<Vlan> around(Cidr subnet, Vlans vlans) {
    return vlans.byName().values().stream()
        .filter(vlan -> vlan.range().contains(subnet))
        .findFirst();
  }

  private static Optional<String> agreed(Optional<String> ours, Optional<String> pools) {
    if (ours.isPresent() && pools.isPresent() && !ours.equals(pools)) {
      throw new Refused(
          "--opt network=" + ours.get() + " contradicts --ipam-opt network=" + pools.get());
    }
    return ours.or(() -> pools);
  }

  private static void requireAgreement(Vlan vlan, NetworkOptions asked, Optional<String> name) {
    if (name.filter(n -> !n.equals(vlan.name())).isPresent()) {
      throw new Refused(
          vlan.range()
              + " belongs to VLAN "
              + vlan
              + ", not to "
              + name.get()
              + ": leave out network=, or choose another --subnet");
    }
    if (asked.vni().filter(vni -> !vni.equals(vlan.vni())).isPresent()) {
      throw new Refused(
          "VLAN "
              + vlan
              + " is not VNI "
              + asked.vni().get()
              + ": leave out --opt vni or give vni="
              + vlan.vni());
    }
    int port = vlan.config().backend().port();
    if (asked.port().filter(p -> p != port).isPresent()) {
      throw new Refused(
          "VLAN " + vlan + " has UDP port " + port + " on all hosts, not " + asked.port().get());
    }
  }

  private static Vlan made(String name, Cidr range, Vni vni, NetworkOptions options) {
    try {
      return new Vlan(
          name,
          new NetworkConfig(
              SubnetLayout.of(range),
              new Vxlan(
                  vni,
                  options.port().orElse(Vxlan.DEFAULT_PORT),
                  OptionalInt.empty(),
                  false,
                  false,
                  false)));
    } catch (IllegalArgumentException e) {
      throw new Refused(String.valueOf(e.getMessage()), e);
    }
  }

  /** The pool if the user may have meant it as a VLAN's range: Docker itself chooses others. */
  private static Optional<Cidr> suggestedRange(Cidr pool, Vlans vlans) {
    boolean fits =
        PRIVATE_TEN.contains(pool)
            && pool.length() <= LONGEST_SUGGESTED
            && vlans.byName().values().stream().noneMatch(vlan -> vlan.range().overlaps(pool));
    return fits ? Optional.of(pool) : Optional.empty();
  }
}
