package io.flannelvlan.tests.bench;

/** The command that makes a VLAN whose number shows in its range. */
final class Networks {
  private Networks() {}

  static String[] create(String name, int vni) {
    return ("network create -d flannelvlan --ipam-driver flannelvlan"
            + (" --subnet 10." + vni + ".0.0/16 --opt vni=" + vni + " " + name))
        .split(" ", -1);
  }
}
