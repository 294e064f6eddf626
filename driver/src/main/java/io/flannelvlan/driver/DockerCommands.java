package io.flannelvlan.driver;

import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.flannel.Vlans;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.Vni;
import java.util.Optional;

/** Commands to paste, for refusals that know what would be right. */
final class DockerCommands {

  private DockerCommands() {}

  /** For a VLAN that is not there yet; what is left out, the plugin chooses. */
  static String toMake(Optional<Cidr> range, NetworkOptions options, Vlans vlans) {
    Vni vni = options.vni().orElseGet(vlans::freeVni);
    return "docker network create -d flannelvlan --ipam-driver flannelvlan"
        + range.map(cidr -> " --subnet " + cidr).orElse("")
        + " --opt vni="
        + vni
        + options.network().map(name -> " --opt network=" + name).orElse("")
        + " "
        + options.network().orElseGet(() -> Vlan.nameOf(vni));
  }

  static String withOurIpam(Vlan vlan) {
    return "docker network create -d flannelvlan --ipam-driver flannelvlan --subnet "
        + vlan.range()
        + " --opt vni="
        + vlan.vni()
        + network(vlan)
        + " "
        + vlan.name();
  }

  static String withDockersIpam(Vlan vlan, Cidr subnet) {
    return "docker network create -d flannelvlan --subnet "
        + subnet
        + " --opt vni="
        + vlan.vni()
        + network(vlan)
        + " "
        + vlan.name();
  }

  /** The name has to be said only where it is not the one that the VNI gives. */
  private static String network(Vlan vlan) {
    return vlan.name().equals(Vlan.nameOf(vlan.vni())) ? "" : " --opt network=" + vlan.name();
  }
}
