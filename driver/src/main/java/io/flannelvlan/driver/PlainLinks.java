package io.flannelvlan.driver;

import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.firewall.VlanRules;
import io.flannelvlan.flannel.host.HostVlan;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The bridges here that are not ours and carry the gateway of a VLAN's plain subnet; pure. */
final class PlainLinks {

  private PlainLinks() {}

  /** Their names by VLAN. One that carries two VLANs' gateways is the first one's alone. */
  static Map<String, String> of(Collection<HostVlan> vlans, KernelState state) {
    Map<String, String> links = new TreeMap<>();
    List<HostVlan> sorted = vlans.stream().sorted(Comparator.comparing(HostVlan::name)).toList();
    for (HostVlan vlan : sorted) {
      vlan.plain()
          .flatMap(plain -> state.foreignCarrier(plain.subnet().at(1)))
          .filter(link -> VlanRules.canName(link) && !links.containsValue(link))
          .ifPresent(link -> links.put(vlan.name(), link));
    }
    return links;
  }
}
