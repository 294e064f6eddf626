package io.flannelvlan.tests.invariants;

import io.flannelvlan.tests.invariants.DockerLook.Endpoint;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Who reaches whom: tried between some containers of each VLAN, hosts mixed. */
final class Reachability {
  /** Of one VLAN; more would show no other path. */
  private static final int MOST = 4;

  private final Map<String, Host> hosts;
  private final Machine outside;
  private final List<HostLook> looks;

  /** A container in one VLAN only. */
  private record Member(Host host, String name, String address, String vlan) {
    boolean pings(Member other) {
      return host.container(name).pings(other.address());
    }

    @Override
    public String toString() {
      return name + " on " + host.name() + " (" + vlan + ", " + address + ")";
    }
  }

  Reachability(Map<String, Host> hosts, Machine outside, List<HostLook> looks) {
    this.hosts = hosts;
    this.outside = outside;
    this.looks = looks;
  }

  /** What is not as it should be. All is tried at the same time: what must fail takes a second. */
  List<String> broken() {
    List<Supplier<Optional<String>>> trials = new ArrayList<>();
    List<List<Member>> vlans = samples();
    for (int i = 0; i < vlans.size(); i++) {
      List<Member> members = vlans.get(i);
      for (int j = 0; j < members.size(); j++) {
        Member from = members.get(j);
        Member to = members.get((j + 1) % members.size());
        trials.add(() -> require(from.pings(to), from + " does not reach " + to));
      }
      if (vlans.size() > 1) {
        Member from = members.getFirst();
        Member to = vlans.get((i + 1) % vlans.size()).getFirst();
        trials.add(() -> require(!from.pings(to), from + " reaches " + to));
      }
    }
    looks.forEach(
        look -> look.docker().ports().forEach(port -> trials.add(() -> answers(look, port))));
    return trials.stream()
        .map(trial -> CompletableFuture.supplyAsync(trial, Thread::startVirtualThread))
        .toList()
        .stream()
        .flatMap(outcome -> outcome.join().stream())
        .toList();
  }

  private Optional<String> answers(HostLook look, DockerLook.Port port) {
    String place = look.address() + ":" + port.hostPort();
    boolean closed =
        !port.everywhere() || !port.protocol().equals("tcp") || isInternal(look, port.container());
    return closed
        ? Optional.empty()
        : require(
            outside.whoAnswers(place).isPresent(),
            port.container() + " does not answer at " + place);
  }

  private static boolean isInternal(HostLook look, String container) {
    return look.docker()
        .of(container)
        .flatMap(endpoint -> look.journal().vlanOf(endpoint.network()).stream())
        .anyMatch(vlan ->
            look.journal().table("links").containsKey(vlan)
                && look.journal().table("links").get(vlan).path("internal").asBoolean());
  }

  private static Optional<String> require(boolean holds, String complaint) {
    return holds ? Optional.empty() : Optional.of(complaint);
  }

  /** Some members of each VLAN, those of each host in turn, so that neighbours are on two hosts. */
  private List<List<Member>> samples() {
    Map<String, Map<String, List<Member>>> byVlanAndHost = new TreeMap<>();
    for (HostLook look : looks) {
      for (Endpoint endpoint : look.docker().endpoints()) {
        Optional<String> vlan = look.journal().vlanOf(endpoint.network());
        if (vlan.isPresent() && look.docker().of(endpoint.container()).count() == 1) {
          byVlanAndHost
              .computeIfAbsent(vlan.get(), _ -> new TreeMap<>())
              .computeIfAbsent(look.name(), _ -> new ArrayList<>())
              .add(member(look, endpoint, vlan.get()));
        }
      }
    }
    return byVlanAndHost.values().stream().map(perHost -> inTurn(perHost.values())).toList();
  }

  private Member member(HostLook look, Endpoint endpoint, String vlan) {
    Host host = hosts.get(look.name());
    if (host == null) {
      throw new IllegalStateException(look.name() + " is no host of this lab");
    }
    return new Member(host, endpoint.container(), endpoint.address(), vlan);
  }

  private static List<Member> inTurn(Iterable<List<Member>> perHost) {
    List<Member> mixed = new ArrayList<>();
    for (int i = 0; i < MOST && mixed.size() < MOST; i++) {
      for (List<Member> members : perHost) {
        if (i < members.size()) {
          mixed.add(members.get(i));
        }
      }
    }
    return mixed;
  }
}
