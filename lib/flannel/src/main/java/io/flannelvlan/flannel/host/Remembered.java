package io.flannelvlan.flannel.host;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Optional;

/**
 * What this host had in a VLAN that it left, so that it gets the same again if it is still free.
 *
 * @param plain what was set aside for others than us
 */
public record Remembered(List<Cidr> subnets, MacAddress vtepMac, Optional<Cidr> plain) {

  public Remembered {
    subnets = List.copyOf(subnets);
  }

  static Remembered of(HostVlan vlan) {
    return new Remembered(vlan.subnets(), vlan.vtepMac(), vlan.plain().map(PlainSubnet::subnet));
  }
}
