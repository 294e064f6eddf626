package io.flannelvlan.flannel;

import io.flannelvlan.flannel.VlanException.Kind;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * Picks a subnet that is free, as flannel does.
 *
 * @param holders every subnet that is not free, and who has it, in words; of any length
 */
record FreeSubnets(SubnetLayout layout, Map<Cidr, String> holders) {

  /** flannel picks among so many, so that hosts that start together seldom pick the same. */
  private static final int CHOICE = 100;

  private static final int HOLDERS_NAMED = 5;

  FreeSubnets {
    holders = new TreeMap<>(holders);
  }

  /**
   * A free subnet that fits the wish.
   *
   * @throws VlanException if there is none
   */
  Cidr pick(Wish wish, RandomGenerator random) {
    return switch (wish) {
      case Wish.Any _ -> pickIn(layout.range(), random);
      case Wish.Remembered remembered ->
          layout.allows(remembered.subnet()) && holder(remembered.subnet()).isEmpty()
              ? remembered.subnet()
              : pickIn(layout.range(), random);
      case Wish.Exactly exactly -> requireFree(exactly.subnet());
      case Wish.Within within -> pickIn(within.range(), random);
      case Wish.Sparing sparing -> sparing(sparing.subnet()).pickIn(layout.range(), random);
    };
  }

  private FreeSubnets sparing(Cidr subnet) {
    Map<Cidr, String> more = new TreeMap<>(holders);
    more.putIfAbsent(subnet, "this host, for others than flannelvlan");
    FreeSubnets others = new FreeSubnets(layout, more);
    return others.firstFree(layout.range()).isEmpty() ? this : others;
  }

  private Cidr requireFree(Cidr subnet) {
    if (!layout.allows(subnet)) {
      throw new VlanException(
          Kind.UNFIT,
          subnet
              + " is no subnet of "
              + layout.range()
              + ": its subnets are /"
              + layout.subnetLen()
              + ", from "
              + layout.subnetMin()
              + " to "
              + layout.subnetMax());
    }
    Optional<String> holder = holder(subnet);
    if (holder.isPresent()) {
      throw new VlanException(Kind.TAKEN, subnet + " is held by " + holder.get());
    }
    return subnet;
  }

  private Cidr pickIn(Cidr part, RandomGenerator random) {
    List<Cidr> free = firstFree(part);
    if (free.isEmpty()) {
      throw new VlanException(Kind.FULL, "no subnet is free in " + part + ": " + tally());
    }
    return free.get(random.nextInt(free.size()));
  }

  private List<Cidr> firstFree(Cidr part) {
    List<Cidr> free = new ArrayList<>();
    if (!part.overlaps(layout.range()) || part.length() > layout.subnetLen()) {
      throw new VlanException(
          Kind.UNFIT, part + " holds no /" + layout.subnetLen() + " subnet of " + layout.range());
    }
    IpAddress first = later(layout.subnetMin(), part.base());
    IpAddress last = earlier(layout.subnetMax(), part.last());
    long size = layout.subnetOf(layout.subnetMin()).size();
    for (long at = first.low(); at <= last.low() && free.size() < CHOICE; at += size) {
      Cidr subnet = layout.subnetOf(IpAddress.ipv4(at));
      if (holder(subnet).isEmpty()) {
        free.add(subnet);
      }
    }
    return free;
  }

  private Optional<String> holder(Cidr subnet) {
    String exact = holders.get(subnet);
    if (exact != null) {
      return Optional.of(exact);
    }
    // Only agents with another config leave such keys; a few at most.
    return holders.entrySet().stream()
        .filter(entry -> entry.getKey().length() != subnet.length())
        .filter(entry -> entry.getKey().overlaps(subnet))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private String tally() {
    Map<String, Long> counts =
        holders.values().stream()
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    String largest =
        counts.entrySet().stream()
            .sorted(
                Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                    .thenComparing(Map.Entry.comparingByKey()))
            .limit(HOLDERS_NAMED)
            .map(entry -> entry.getKey() + " has " + entry.getValue())
            .collect(Collectors.joining(", "));
    return "of "
        + layout.count()
        + " subnets, "
        + largest
        + (counts.size() > HOLDERS_NAMED ? ", and others" : "");
  }

  private static IpAddress later(IpAddress one, IpAddress other) {
    return one.compareTo(other) >= 0 ? one : other;
  }

  private static IpAddress earlier(IpAddress one, IpAddress other) {
    return one.compareTo(other) <= 0 ? one : other;
  }
}
