package io.flannelvlan.driver;

import io.flannelvlan.flannel.Vlan;
import io.flannelvlan.net.Cidr;

/** Commands to paste, for refusals that know what would be right. */
final class DockerCommands {

  private DockerCommands() {}

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
