package io.flannelvlan.flannel.host;

import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.LongStream;

/**
 * Which free subnet a host names for others, without asking anybody: from the end of the range,
 * since leases are taken from its beginning, and at the place that the host's address says, since
 * the addresses of hosts follow one another. Two hosts that choose the same part when the first of
 * them needs it. Pure.
 */
final class PlainChoice {

  private PlainChoice() {}

  static Optional<Cidr> of(SubnetLayout layout, IpAddress host, Predicate<Cidr> isFree) {
    long count = layout.count();
    long half = (count + 1) / 2;
    long start = host.low() % half;
    // The later half from the host's place on and around, then the earlier half.
    return LongStream.concat(
            LongStream.range(0, half).map(i -> (start + i) % half), LongStream.range(half, count))
        .mapToObj(fromEnd -> at(layout, fromEnd))
        .filter(isFree)
        .findFirst();
  }

  private static Cidr at(SubnetLayout layout, long fromEnd) {
    long size = layout.subnetOf(layout.subnetMax()).size();
    return layout.subnetOf(IpAddress.ipv4(layout.subnetMax().low() - fromEnd * size));
  }
}
