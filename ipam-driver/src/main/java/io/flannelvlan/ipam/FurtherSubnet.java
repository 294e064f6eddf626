package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.Leases;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.flannel.host.HostVlans;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What happens when this host's subnets of a VLAN are full: it takes one more, or says why not. */
record FurtherSubnet(HostVlans vlans, Addresses addresses) {

  private static final Logger LOG = LoggerFactory.getLogger(FurtherSubnet.class);

  /**
   * An address of one more subnet.
   *
   * @param confined the range that the user confined this host to: then there is none
   * @throws Refused saying what is full, who has how much, and what to do
   */
  InterfaceAddress address(HostVlan full, Optional<Cidr> confined) {
    HostVlan vlan = full;
    if (confined.isPresent()) {
      throw new Refused(
          "no address is free in --ip-range "
              + confined.get()
              + " of VLAN "
              + vlan.name()
              + " ("
              + addresses.state(vlan.range(), vlan.subnets().getFirst())
              + "): remove containers here, or make the network again with a larger --ip-range");
    }
    try {
      while (true) {
        vlan = vlans.joinFurther(vlan);
        Optional<InterfaceAddress> address =
            addresses.next(vlan.range(), vlan.subnets(), vlan.range());
        if (address.isPresent()) {
          return address.get();
        }
      }
    } catch (EtcdException e) {
      throw new Refused(
          full(vlan) + ", and another subnet can't be had without etcd: " + e.getMessage(), e);
    } catch (VlanException e) {
      if (e.kind() == VlanException.Kind.LEFT) {
        throw e;
      }
      LOG.warn("VLAN {} is full: {}", vlan.name(), e.getMessage());
      throw new Refused(
          full(vlan)
              + ", and the VLAN has no subnet left: "
              + hosts(vlan)
              + ". Remove containers, here or, until a subnet is free, all of one host; or make a"
              + " VLAN with a larger --subnet");
    }
  }

  private String full(HostVlan vlan) {
    return "no address is free on this host in VLAN "
        + vlan.name()
        + " ("
        + vlan.subnets().stream()
            .map(s -> addresses.state(vlan.range(), s))
            .collect(Collectors.joining(", "))
        + ")";
  }

  /** "host 198.51.100.11 holds 250 addresses in 1 subnet, host …"; those with most first. */
  private String hosts(HostVlan vlan) {
    Map<String, Long> subnets =
        vlans.leases(vlan.name()).map(Leases::bySubnet).orElse(new TreeMap<>()).values().stream()
            .collect(
                Collectors.groupingBy(
                    lease -> lease.publicIp().toString(), TreeMap::new, Collectors.counting()));
    Map<String, Long> held = addresses.anywhere().countByHost(vlan.vlan());
    return Stream.concat(subnets.keySet().stream(), held.keySet().stream())
        .distinct()
        .sorted(
            Comparator.comparingLong((String host) -> -held.getOrDefault(host, 0L))
                .thenComparing(Comparator.naturalOrder()))
        .map(host ->
            "host "
                + host
                + " holds "
                + number(held.getOrDefault(host, 0L), "address", "addresses")
                + " in "
                + number(subnets.getOrDefault(host, 0L), "subnet", "subnets"))
        .collect(Collectors.joining(", "));
  }

  private static String number(long count, String one, String many) {
    return count + " " + (count == 1 ? one : many);
  }
}
