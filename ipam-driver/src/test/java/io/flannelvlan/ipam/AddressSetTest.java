package io.flannelvlan.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressSetTest {

  private static final Cidr SUBNET = Cidr.parse("10.2.20.0/24");

  private final AddressSet set = new AddressSet(SUBNET);

  @Test
  void theFirstAddressIsTheOneBehindTheGateway() {
    assertThat(set.next(SUBNET)).contains(ip("10.2.20.2"));
    assertThat(set.next(SUBNET)).contains(ip("10.2.20.3"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"10.2.20.0", "10.2.20.1", "10.2.20.255", "10.2.21.2", "10.2.19.255", "fd00::2"})
  void baseGatewayBroadcastAndForeignAddressesAreNeverTaken(String address) {
    assertThat(set.take(ip(address))).isFalse();
    assertThat(set.free(ip(address))).isFalse();
  }

  @Test
  void aFreedAddressComesBackLast() {
    IpAddress first = set.next(SUBNET).orElseThrow();
    IpAddress second = set.next(SUBNET).orElseThrow();
    set.free(second);
    set.free(first);
    List<IpAddress> order = new ArrayList<>();
    set.next(SUBNET).ifPresent(order::add);
    for (Optional<IpAddress> a = set.next(SUBNET); a.isPresent(); a = set.next(SUBNET)) {
      order.add(a.get());
    }
    assertThat(order).hasSize(253).startsWith(ip("10.2.20.4")).endsWith(second, first);
  }

  @Test
  void aRangeInsideTheSubnetConfinesTheChoice() {
    Cidr range = Cidr.parse("10.2.20.128/30");
    assertThat(set.next(range)).contains(ip("10.2.20.128"));
    assertThat(set.next(SUBNET)).contains(ip("10.2.20.2"));
    assertThat(set.next(range)).contains(ip("10.2.20.129"));
    assertThat(set.take(ip("10.2.20.130"))).isTrue();
    assertThat(set.next(range)).contains(ip("10.2.20.131"));
    assertThat(set.next(range)).isEmpty();
    set.free(ip("10.2.20.129"));
    assertThat(set.next(range)).contains(ip("10.2.20.129"));
  }

  @ParameterizedTest
  @CsvSource({"10.2.20.0/30,1", "10.2.20.0/29,5", "10.2.20.0/24,253", "10.2.0.0/16,65533"})
  void everyAddressIsGivenOutExactlyOnce(String subnet, int capacity) {
    Cidr cidr = Cidr.parse(subnet);
    AddressSet fresh = new AddressSet(cidr);
    Set<IpAddress> seen = new HashSet<>();
    for (Optional<IpAddress> a = fresh.next(cidr); a.isPresent(); a = fresh.next(cidr)) {
      assertThat(seen.add(a.get())).isTrue();
    }
    assertThat(seen).hasSize(capacity);
    assertThat(fresh.capacity()).isEqualTo(capacity);
  }

  /** Laws: never twice, never reserved, nothing lost, against a plain set as the model. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aRandomWalkAgreesWithAPlainSet(long seed) {
    Random random = new Random(seed);
    Cidr subnet = Cidr.around(ip("10.2.20.0"), 24 + random.nextInt(6));
    AddressSet walked = new AddressSet(subnet);
    Set<IpAddress> model = new HashSet<>();
    for (int step = 0; step < 20_000; step++) {
      IpAddress any = subnet.base().plus(random.nextInt((int) subnet.size()));
      switch (random.nextInt(4)) {
        case 0 -> {
          Optional<IpAddress> next = walked.next(subnet);
          assertThat(next.isPresent()).isEqualTo(model.size() < walked.capacity());
          next.ifPresent(a -> assertThat(model.add(a)).isTrue());
        }
        case 1 -> {
          Cidr range = Cidr.around(any, subnet.length() + 1 + random.nextInt(2));
          Optional<IpAddress> next = walked.next(range);
          next.ifPresent(a -> {
            assertThat(range.contains(a)).isTrue();
            assertThat(model.add(a)).isTrue();
          });
          if (next.isEmpty()) {
            assertThat(freeIn(walked, range, model)).isZero();
          }
        }
        case 2 -> assertThat(walked.take(any)).isEqualTo(walked.holds(any) && model.add(any));
        default -> assertThat(walked.free(any)).isEqualTo(model.remove(any));
      }
      assertThat(walked.takenCount()).isEqualTo(model.size());
    }
  }

  private static long freeIn(AddressSet set, Cidr range, Set<IpAddress> model) {
    long free = 0;
    for (IpAddress a = range.base(); range.contains(a); a = a.plus(1)) {
      if (set.holds(a) && !model.contains(a)) {
        free++;
      }
    }
    return free;
  }

  private static IpAddress ip(String text) {
    return IpAddress.parse(text);
  }
}
