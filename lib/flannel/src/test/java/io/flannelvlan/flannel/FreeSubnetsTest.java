package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FreeSubnetsTest {

  private static final SubnetLayout LAYOUT = SubnetLayout.of(Cidr.parse("10.2.0.0/16"));
  private static final Cidr TWENTY = Cidr.parse("10.2.20.0/24");

  private final Random random = new Random(5);

  @Test
  void anyIsOneOfTheFirstHundredFree() {
    Set<Cidr> seen = new HashSet<>();
    for (int i = 0; i < 3000; i++) {
      seen.add(pick(Wish.any(), Map.of(Cidr.parse("10.2.1.0/24"), "x")));
    }
    assertThat(seen)
        .hasSize(100)
        .doesNotContain(Cidr.parse("10.2.0.0/24"), Cidr.parse("10.2.1.0/24"))
        .contains(Cidr.parse("10.2.2.0/24"), Cidr.parse("10.2.101.0/24"));
  }

  @Test
  void everySubnetIsGivenOutOnceAndThenTheVlanIsFull() {
    Map<Cidr, String> taken = new HashMap<>();
    for (int i = 0; i < 255; i++) {
      assertThat(taken.put(pick(Wish.any(), taken), "host 10.0.0." + i % 2)).isNull();
    }
    assertThat(taken.keySet()).allMatch(LAYOUT::allows);
    assertRefused(
        VlanException.Kind.FULL, Wish.any(), taken, "of 255 subnets, host 10.0.0.0 has 128");
  }

  @Test
  void subnetsOfOtherLengthsBlockWhatTheyOverlap() {
    Map<Cidr, String> taken =
        Map.of(Cidr.parse("10.2.0.0/17"), "x", Cidr.parse("10.2.200.128/25"), "y");
    for (int i = 0; i < 500; i++) {
      Cidr picked = pick(Wish.any(), taken);
      assertThat(taken.keySet()).noneMatch(picked::overlaps);
    }
  }

  @Test
  void oneThatIsSparedIsTakenLast() {
    Map<Cidr, String> taken = new HashMap<>();
    for (int i = 0; i < 254; i++) {
      assertThat(taken.put(pick(Wish.sparing(TWENTY), taken), "x")).isNull();
    }
    assertThat(taken).doesNotContainKey(TWENTY);
    assertThat(pick(Wish.sparing(TWENTY), taken)).isEqualTo(TWENTY);
    taken.put(TWENTY, "x");
    assertRefused(VlanException.Kind.FULL, Wish.sparing(TWENTY), taken, "no subnet is free");
  }

  @Test
  void rememberedIsTakenAgainIfFreeElseAny() {
    assertThat(pick(Wish.remembered(TWENTY), Map.of())).isEqualTo(TWENTY);
    assertThat(pick(Wish.remembered(TWENTY), Map.of(TWENTY, "x"))).isNotEqualTo(TWENTY);
    assertThat(LAYOUT.allows(pick(Wish.remembered(Cidr.parse("10.9.0.0/24")), Map.of()))).isTrue();
  }

  @Test
  void exactlyIsThatOrARefusalThatNamesTheHolder() {
    assertThat(pick(Wish.exactly(TWENTY), Map.of())).isEqualTo(TWENTY);
    assertRefused(
        VlanException.Kind.TAKEN,
        Wish.exactly(TWENTY),
        Map.of(TWENTY, "host 10.0.0.9"),
        "host 10.0.0.9");
    for (String unfit :
        new String[] {"10.2.0.0/24", "10.3.1.0/24", "10.2.20.0/25", "10.2.20.0/23"}) {
      assertRefused(
          VlanException.Kind.UNFIT, Wish.exactly(Cidr.parse(unfit)), Map.of(), "is no subnet of");
    }
  }

  @Test
  void withinStaysInside() {
    Cidr part = Cidr.parse("10.2.32.0/22");
    Map<Cidr, String> taken = new HashMap<>();
    for (int i = 0; i < 4; i++) {
      Cidr picked = pick(Wish.within(part), taken);
      assertThat(part.contains(picked)).isTrue();
      taken.put(picked, "x");
    }
    assertRefused(
        VlanException.Kind.FULL, Wish.within(part), taken, "no subnet is free in 10.2.32.0/22");
    assertThat(pick(Wish.within(TWENTY), Map.of())).isEqualTo(TWENTY);
    assertRefused(
        VlanException.Kind.UNFIT, Wish.within(Cidr.parse("10.3.0.0/16")), Map.of(), "10.3.0.0/16");
    assertRefused(
        VlanException.Kind.UNFIT, Wish.within(Cidr.parse("10.2.20.0/25")), Map.of(), "/24");
    assertThat(LAYOUT.allows(pick(Wish.within(Cidr.parse("10.0.0.0/8")), Map.of()))).isTrue();
  }

  @Test
  void aRangeAtTheEndOfTheAddressSpaceIsWalkedToItsEnd() {
    SubnetLayout last = SubnetLayout.of(Cidr.parse("255.255.255.0/24"));
    assertThat(last.subnetMax()).isEqualTo(IpAddress.parse("255.255.255.192"));
    assertThat(last.count()).isEqualTo(3);
    assertThat(new FreeSubnets(last, Map.of()).pick(Wish.any(), random).length()).isEqualTo(26);
  }

  private Cidr pick(Wish wish, Map<Cidr, String> taken) {
    return new FreeSubnets(LAYOUT, taken).pick(wish, random);
  }

  private void assertRefused(
      VlanException.Kind kind, Wish wish, Map<Cidr, String> taken, String text) {
    assertThatThrownBy(() -> pick(wish, taken))
        .isInstanceOfSatisfying(VlanException.class, e -> assertThat(e.kind()).isEqualTo(kind))
        .hasMessageContaining(text);
  }
}
