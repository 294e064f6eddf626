package io.flannelvlan.driver.shared;

import io.flannelvlan.flannel.Vlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What is known of the VLANs' networks, and what follows from it for this host; pure.
 *
 * <ul>
 *   <li>A network that this host has is described in etcd, if it is not.
 *   <li>One that it never had is made, as described; or, of a VLAN that nobody described, in the
 *       VLAN's own name.
 *   <li>One that it has had and has no more, its user removed: it stays away.
 *   <li>One that was removed everywhere is removed, unless it was made again since.
 * </ul>
 *
 * @param vlans those in etcd
 * @param shared what etcd says of their networks, by VLAN
 * @param overdue the VLANs whose network was announced long ago, and nothing followed
 * @param here this host's
 * @param settled by VLAN
 */
public record Situation(
    Map<String, Vlan> vlans,
    Map<String, SharedNetwork> shared,
    Set<String> overdue,
    List<NetworkHere> here,
    Map<String, Settled> settled,
    NetworkChoice choice) {

  public Situation {
    vlans = Map.copyOf(vlans);
    shared = Map.copyOf(shared);
    overdue = Set.copyOf(overdue);
    here = List.copyOf(here);
    settled = Map.copyOf(settled);
  }

  /** What this host has to do, in any order. */
  public List<Step> steps() {
    Set<String> names = new TreeSet<>(vlans.keySet());
    names.addAll(shared.keySet());
    List<Step> all = new ArrayList<>();
    names.forEach(name -> all.addAll(steps(name)));
    return all;
  }

  private List<Step> steps(String name) {
    Optional<Vlan> vlan = Optional.ofNullable(vlans.get(name));
    Optional<SharedNetwork> word = Optional.ofNullable(shared.get(name));
    Optional<Settled> had = Optional.ofNullable(settled.get(name));
    List<NetworkHere> own =
        here.stream()
            .filter(network -> network.vlan().equals(name))
            .sorted(Comparator.comparing(NetworkHere::created))
            .toList();
    return switch (word.orElse(null)) {
      case null -> own.isEmpty() && had.isPresent() ? List.of() : undescribed(vlan, word, own);
      case SharedNetwork.Announced _ ->
          overdue.contains(name) ? undescribed(vlan, word, own) : publish(vlan, own);
      case SharedNetwork.Described d ->
          vlan.filter(v -> !v.range().equals(d.range())).isPresent()
              ? undescribed(vlan, word, own)
              : described(name, vlan, d, own, had);
      case SharedNetwork.Removed r -> removed(name, vlan, r, own, had);
      case SharedNetwork.Unreadable _ -> List.of();
    };
  }

  private List<Step> undescribed(
      Optional<Vlan> vlan, Optional<SharedNetwork> word, List<NetworkHere> own) {
    if (!own.isEmpty()) {
      return publish(vlan, own);
    }
    return vlan.filter(v -> choice.includes(v.name())).map(v -> asNamed(v, word)).stream().toList();
  }

  /** As its user would have made it. */
  private static Step asNamed(Vlan vlan, Optional<SharedNetwork> word) {
    Map<String, String> vni = Map.of("vni", vlan.vni().toString());
    Map<String, String> options =
        vlan.name().equals(Vlan.nameOf(vlan.vni()))
            ? vni
            : Map.of("vni", vlan.vni().toString(), "network", vlan.name());
    return new Step.Place(vlan, word, vlan.name(), false, options, Map.of());
  }

  private static List<Step> publish(Optional<Vlan> vlan, List<NetworkHere> own) {
    return own.stream()
        .filter(network -> !network.dockersIpam())
        .findFirst()
        .flatMap(network -> vlan.<Step>map(v -> new Step.Publish(v, network.id())))
        .stream()
        .toList();
  }

  private List<Step> described(
      String name,
      Optional<Vlan> vlan,
      SharedNetwork.Described word,
      List<NetworkHere> own,
      Optional<Settled> had) {
    if (!own.isEmpty()) {
      Settled now = new Settled(name, word.generation(), ids(own));
      return had.equals(Optional.of(now)) ? List.of() : List.of(new Step.Settle(now));
    }
    boolean wanted =
        word.everywhere()
            && choice.includes(name)
            && had.filter(h -> h.generation().equals(word.generation())).isEmpty();
    return vlan
        .filter(_ -> wanted)
        .<Step>map(v ->
            new Step.Place(
                v, Optional.of(word), word.name(), word.internal(), word.options(), word.labels()))
        .stream()
        .toList();
  }

  private List<Step> removed(
      String name,
      Optional<Vlan> vlan,
      SharedNetwork.Removed word,
      List<NetworkHere> own,
      Optional<Settled> had) {
    Set<String> condemned =
        had.filter(h -> h.generation().equals(word.generation()))
            .map(Settled::networks)
            .orElse(Set.of());
    List<NetworkHere> fresh =
        own.stream().filter(network -> !condemned.contains(network.id())).toList();
    Set<String> doomed = new HashSet<>(condemned);
    doomed.retainAll(ids(own));
    if (!doomed.isEmpty()) {
      return doomed.stream().<Step>map(id -> new Step.Remove(name, id, word)).toList();
    }
    if (!fresh.isEmpty()) {
      return publish(vlan, fresh);
    }
    return word.done()
        ? undescribed(vlan, Optional.of(word), own)
        : List.of(new Step.Discard(name));
  }

  private static Set<String> ids(List<NetworkHere> networks) {
    return networks.stream().map(NetworkHere::id).collect(Collectors.toSet());
  }
}
