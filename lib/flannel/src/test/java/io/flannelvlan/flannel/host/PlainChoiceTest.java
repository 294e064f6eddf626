package io.flannelvlan.flannel.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.flannel.SubnetLayout;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Where hosts look for a subnet to name. */
class PlainChoiceTest {

  private static final SubnetLayout WIDE = SubnetLayout.of(Cidr.parse("10.2.0.0/16"));

  /** 10.2.0.64/26, 10.2.0.128/26 and 10.2.0.192/26. */
  private static final SubnetLayout NARROW = SubnetLayout.of(Cidr.parse("10.2.0.0/24"));

  @Test
  void aHundredHostsOfOneWireNameAHundredSubnetsFromTheEnd() {
    Set<Cidr> named = new HashSet<>();
    IntStream.rangeClosed(11, 110).forEach(last -> named.add(of(WIDE, last).orElseThrow()));
    assertThat(named).hasSize(100);
    assertThat(named).allMatch(WIDE::allows);
    assertThat(named).allMatch(subnet -> subnet.base().compareTo(parse("10.2.127.0")) > 0);
  }

  @Test
  void aHostNamesTheSameAgainForAsLongAsItIsFree() {
    Cidr first = of(WIDE, 11).orElseThrow();
    assertThat(of(WIDE, 11)).contains(first);
    assertThat(of(WIDE, 11, first)).isPresent().isNotEqualTo(Optional.of(first));
  }

  @Test
  void everySubnetIsFoundBeforeNoneIs() {
    for (int host = 1; host <= 8; host++) {
      Set<Cidr> taken = new HashSet<>();
      for (int i = 0; i < NARROW.count(); i++) {
        Cidr next = of(NARROW, host, taken.toArray(Cidr[]::new)).orElseThrow();
        assertThat(NARROW.allows(next)).isTrue();
        assertThat(taken.add(next)).isTrue();
      }
      assertThat(of(NARROW, host, taken.toArray(Cidr[]::new))).isEmpty();
    }
  }

  @Test
  void theBeginningIsLeftForLast() {
    assertThat(of(NARROW, 1, Cidr.parse("10.2.0.128/26"), Cidr.parse("10.2.0.192/26")))
        .contains(Cidr.parse("10.2.0.64/26"));
  }

  private static Optional<Cidr> of(SubnetLayout layout, int host, Cidr... taken) {
    return PlainChoice.of(
        layout,
        parse("198.51.100." + host),
        subnet -> Set.of(taken).stream().noneMatch(subnet::overlaps));
  }

  private static IpAddress parse(String text) {
    return IpAddress.parse(text);
  }
}
