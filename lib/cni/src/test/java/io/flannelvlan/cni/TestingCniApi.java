package io.flannelvlan.cni;

import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Notes what it was asked, and gives VLAN n the addresses of 10.n.20.0/24. */
final class TestingCniApi implements CniApi {

  final List<String> asked = new ArrayList<>();

  @Override
  public List<Attached> add(AttachmentId id, Path netns, List<Wish> wishes) {
    asked.add("add " + id + " " + netns + " " + wishes);
    List<Attached> all = new ArrayList<>();
    for (Wish wish : wishes) {
      if (!wish.vlan().startsWith("vlan00")) {
        throw new CniException(Code.INVALID_CONFIGURATION, "VLAN " + wish.vlan() + " is unknown");
      }
      String n = wish.vlan().substring("vlan00".length());
      InterfaceAddress address = InterfaceAddress.parse("10." + n + ".20.5/24");
      all.add(
          new Attached(
              wish.vlan(),
              wish.ifname(),
              wish.mac().orElse(MacAddress.ofEndpoint(address.address())),
              "fvh" + n,
              MacAddress.parse("02:00:00:00:00:0" + n),
              1450,
              address,
              Optional.of(IpAddress.parse("10." + n + ".20.1")),
              Cidr.parse("10." + n + ".0.0/16"),
              all.isEmpty()));
    }
    return all;
  }

  @Override
  public void delete(AttachmentId id, Optional<Path> netns) {
    asked.add("delete " + id);
  }

  @Override
  public void check(AttachmentId id, Path netns, List<Expected> expected) {
    asked.add("check " + id + " " + expected);
  }

  @Override
  public void collect(String network, Set<AttachmentId> valid) {
    asked.add("collect " + network + " " + valid);
  }

  @Override
  public void status(Optional<String> vlan) {
    asked.add("status " + vlan);
    throw new IllegalStateException("out of order");
  }
}
