package io.flannelvlan.flannel;

import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.Grant;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Snapshot;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.flannel.VlanException.Kind;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Subnets promised to hosts that prepare a VLAN, for a minute each.
 *
 * <p>Docker asks for a pool before it names the network, so a host has to know its subnet before
 * there is a VLAN to lease it from. Two hosts that do so at once must not choose the same.
 */
public final class Reservations {

  private static final Duration TTL = Duration.ofSeconds(60);
  private static final int TRIES = 32;
  private static final String HOST = "host";

  private final Etcd etcd;
  private final RandomGenerator random;

  public Reservations(Etcd etcd, RandomGenerator random) {
    this.etcd = etcd;
    this.random = random;
  }

  /**
   * Promises {@code host} a subnet that is neither leased nor promised to another. Asked again, it
   * promises the same subnet for another minute if that still fits.
   *
   * @param leased the subnets leased now, and by whom; asked before and again after the promise,
   *     because a lease taken in between would not have seen it
   * @throws VlanException if no subnet fits the wish
   */
  public Reservation reserve(
      SubnetLayout layout, Wish wish, IpAddress host, Supplier<Map<Cidr, String>> leased) {
    return reserve(layout, wish, host, leased, Optional.empty());
  }

  /**
   * As {@link #reserve}, of a subnet whose lease is the host's already: whatever an old copy of
   * etcd says that another was promised, perhaps itself at another address, it can't be given to.
   */
  public Reservation reserveOwn(
      SubnetLayout layout, Cidr own, IpAddress host, Supplier<Map<Cidr, String>> leased) {
    return reserve(layout, Wish.exactly(own), host, leased, Optional.of(own));
  }

  private Reservation reserve(
      SubnetLayout layout,
      Wish wish,
      IpAddress host,
      Supplier<Map<Cidr, String>> leased,
      Optional<Cidr> own) {
    Grant grant = etcd.grant(TTL);
    for (int i = 0; i < TRIES; i++) {
      Snapshot promised = etcd.range(FlannelKeys.reservations(layout.range()));
      Map<Cidr, String> taken = new TreeMap<>(ofOthers(promised, host));
      own.ifPresent(taken::remove);
      taken.putAll(leased.get());
      Cidr subnet =
          ownAgain(promised, wish, host)
              .filter(again -> !taken.containsKey(again) && layout.allows(again))
              .orElseGet(() -> new FreeSubnets(layout, taken).pick(wish, random));
      String key = FlannelKeys.reservation(layout.range(), subnet);
      Txn txn = Txn.when(guard(promised, key)).put(key, value(host), grant);
      if (!etcd.txn(txn).succeeded()) {
        continue;
      }
      Reservation reservation = new Reservation(layout.range(), subnet, host, grant);
      if (leased.get().keySet().stream().noneMatch(subnet::overlaps)) {
        return reservation;
      }
      release(reservation);
    }
    throw new VlanException(
        Kind.CONTENDED,
        "no subnet of " + layout.range() + " could be reserved: too many hosts ask just now");
  }

  /** Takes the promise back, unless it ended or became another host's. */
  public void release(Reservation reservation) {
    String key = FlannelKeys.reservation(reservation.range(), reservation.subnet());
    etcd.txn(Txn.when(Guard.hasValue(key, value(reservation.host()))).delete(key));
  }

  /**
   * The promise to this host's address {@code from} becomes one to its address {@code to}, which
   * its lease will carry. Without such a promise nothing happens.
   */
  public void handOver(Cidr range, Cidr subnet, IpAddress from, IpAddress to) {
    Optional<KeyValue> promise =
        from.equals(to)
            ? Optional.empty()
            : etcd.get(FlannelKeys.reservation(range, subnet)).filter(kv -> isOf(kv, from));
    promise.ifPresent(kv ->
        etcd.txn(
            Txn.when(Guard.unchanged(kv)).put(kv.key(), value(to), new Grant(kv.grant(), TTL))));
  }

  /** The subnets that hosts other than this one were promised; unreadable ones count. */
  static Map<Cidr, String> ofOthers(Snapshot promised, IpAddress host) {
    Map<Cidr, String> others = new TreeMap<>();
    for (KeyValue kv : promised.entries().values()) {
      Optional<Cidr> subnet = subnet(kv);
      if (subnet.isPresent() && !isOf(kv, host)) {
        others.put(subnet.get(), "a reservation " + JsonFields.quote(kv.value()));
      }
    }
    return others;
  }

  static boolean isOf(KeyValue reservation, IpAddress host) {
    return reservation.value().equals(value(host));
  }

  /** The key as it was listed. */
  static Guard guard(Snapshot promised, String key) {
    return Guard.asRead(key, Optional.ofNullable(promised.entries().get(key)));
  }

  private static Optional<Cidr> ownAgain(Snapshot promised, Wish wish, IpAddress host) {
    Optional<Cidr> asRemembered = wish.remembered();
    return promised.entries().values().stream()
        .filter(kv -> isOf(kv, host))
        .flatMap(kv -> subnet(kv).stream())
        .filter(own -> wish.isGrantedBy(own) && asRemembered.map(own::equals).orElse(true))
        .findFirst();
  }

  private static Optional<Cidr> subnet(KeyValue reservation) {
    try {
      return Optional.of(SubnetKey.parse(reservation.key()).subnet());
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static String value(IpAddress host) {
    return JsonFields.newObject().put(HOST, host.toString()).toString();
  }
}
