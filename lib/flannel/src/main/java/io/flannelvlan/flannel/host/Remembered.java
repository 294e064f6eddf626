package io.flannelvlan.flannel.host;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.MacAddress;
import java.util.List;

/**
 * What this host had in a VLAN that it left, so that it gets the same again if it is still free.
 */
public record Remembered(List<Cidr> subnets, MacAddress vtepMac) {

  public Remembered {
    subnets = List.copyOf(subnets);
  }
}
