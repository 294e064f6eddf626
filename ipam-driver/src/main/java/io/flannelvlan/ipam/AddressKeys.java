package io.flannelvlan.ipam;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.flannelvlan.etcd.Etcd;
import io.flannelvlan.etcd.Guard;
import io.flannelvlan.etcd.KeyValue;
import io.flannelvlan.etcd.Txn;
import io.flannelvlan.etcd.TxnResult;
import io.flannelvlan.flannel.host.HostVlan;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The addresses of all hosts in etcd, one key each:
 *
 * <pre>
 * /flannelvlan/addresses/vlan002/10.2.20.5
 *   {"host":"198.51.100.11","since":"2026-11-22T20:00:00Z","endpoint":"51f2…","mac":"0a:58:0a:02:14:05"}
 * </pre>
 *
 * The prefix lies outside flannel's, whose watchers never see it.
 */
final class AddressKeys {

  /** A container's start waits for it, and goes on without it. */
  private static final Duration CLAIM_DEADLINE = Duration.ofMillis(500);

  private static final String ROOT = "/flannelvlan/addresses/";
  private static final String UNKNOWN = "unknown (";

  /** The value, as other hosts and operators read it. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Holder(
      String host,
      String since,
      @org.jspecify.annotations.Nullable String endpoint,
      @org.jspecify.annotations.Nullable String mac) {

    static Holder of(IpAddress host, AllocatedAddress address) {
      return new Holder(
          host.toString(),
          address.since().toString(),
          address.endpoint().orElse(null),
          address.mac().map(MacAddress::toString).orElse(null));
    }

    boolean isAt(IpAddress address) {
      return host.equals(address.toString());
    }

    /** The host's, if the value names one. */
    Optional<IpAddress> address() {
      try {
        return Optional.of(IpAddress.parse(host));
      } catch (IllegalArgumentException _) {
        return Optional.empty();
      }
    }
  }

  private final ObjectMapper json = JsonMapper.builder().build();
  private final Etcd etcd;

  AddressKeys(Etcd etcd) {
    this.etcd = etcd;
  }

  /** Whether it makes sense to ask etcd now. */
  boolean reachable() {
    return etcd.isReachable();
  }

  /**
   * Creates the key; if it is there already, the holder is returned and nothing changes.
   *
   * @throws io.flannelvlan.etcd.EtcdException if etcd does not answer
   */
  Optional<Holder> claim(String vlan, IpAddress host, AllocatedAddress address) {
    String key = key(vlan, address.address().address());
    // Late, it names this very host, and the mirror sets it right.
    TxnResult result =
        etcd.txnEvenLate(
            Txn.when(Guard.absent(key)).put(key, value(host, address)), CLAIM_DEADLINE);
    return result.succeeded() ? Optional.empty() : result.current(key).map(this::holder);
  }

  /**
   * Writes the key as this host knows it.
   *
   * @param yields whether a holder that stands there makes way
   * @return the one who does not
   */
  Optional<Holder> write(
      String vlan, IpAddress host, AllocatedAddress address, Predicate<Holder> yields) {
    String key = key(vlan, address.address().address());
    Optional<KeyValue> present = etcd.get(key);
    while (true) {
      Optional<Holder> other = present.map(this::holder).filter(yields.negate());
      if (other.isPresent()) {
        return other;
      }
      Guard guard = Guard.asRead(key, present);
      TxnResult result = etcd.txn(Txn.when(guard).put(key, value(host, address)));
      if (result.succeeded()) {
        return Optional.empty();
      }
      // Somebody else was faster; this goes on for as long as others change the same key.
      present = result.current(key);
    }
  }

  /** Removes the key if it is that host's. */
  void remove(String vlan, IpAddress host, IpAddress address) {
    String key = key(vlan, address);
    Optional<KeyValue> present = etcd.get(key);
    if (present.isPresent() && holder(present.get()).isAt(host)) {
      etcd.txn(Txn.when(Guard.unchanged(present.get())).delete(key));
    }
  }

  /** Removes all keys of the host in one of its subnets. */
  void clear(HostVlan vlan, Cidr subnet) {
    list(vlan.name())
        .forEach((address, holder) ->
            holder
                .address()
                .filter(host -> subnet.contains(address) && vlan.isAt(host))
                .ifPresent(host -> remove(vlan.name(), host, address)));
  }

  /** Who holds what in the VLAN. */
  Map<IpAddress, Holder> list(String vlan) {
    Map<IpAddress, Holder> all = new TreeMap<>();
    String prefix = ROOT + vlan + "/";
    etcd.range(prefix)
        .entries()
        .forEach((key, value) -> {
          try {
            all.put(IpAddress.parse(key.substring(prefix.length())), holder(value));
          } catch (IllegalArgumentException _) {
            // Somebody else's key under our prefix; it can't be an address that we gave out.
          }
        });
    return all;
  }

  /** What this host has given out in the VLAN, in its subnets, by etcd's word. */
  List<AllocatedAddress> heldBy(HostVlan vlan) {
    List<AllocatedAddress> all = new ArrayList<>();
    list(vlan.name())
        .forEach((address, holder) ->
            vlan.subnets().stream()
                .filter(subnet ->
                    subnet.contains(address) && holder.address().filter(vlan::isAt).isPresent())
                .findFirst()
                .map(subnet ->
                    allocated(vlan, new InterfaceAddress(address, subnet.length()), holder))
                .ifPresent(all::add));
    return all;
  }

  private static AllocatedAddress allocated(
      HostVlan vlan, InterfaceAddress address, Holder holder) {
    return new AllocatedAddress(
        vlan.range(),
        address,
        Optional.ofNullable(holder.endpoint()),
        Optional.ofNullable(holder.mac()).flatMap(AddressKeys::mac),
        since(holder));
  }

  private static Optional<MacAddress> mac(String text) {
    try {
      return Optional.of(MacAddress.parse(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static Instant since(Holder holder) {
    try {
      return Instant.parse(holder.since());
    } catch (DateTimeParseException _) {
      return Instant.EPOCH;
    }
  }

  /** Whatever stands in the key; a value that names no host is nobody's we know. */
  private Holder holder(KeyValue value) {
    try {
      JsonNode read = json.readTree(value.value());
      return new Holder(
          text(read, "host").orElse(UNKNOWN + value.key() + " can't be read)"),
          text(read, "since").orElse("unknown"),
          text(read, "endpoint").orElse(null),
          text(read, "mac").orElse(null));
    } catch (JsonProcessingException _) {
      return new Holder(UNKNOWN + value.key() + " can't be read)", "unknown", null, null);
    }
  }

  private static Optional<String> text(JsonNode object, String field) {
    return Optional.ofNullable(object.path(field).textValue());
  }

  private String value(IpAddress host, AllocatedAddress address) {
    try {
      return json.writeValueAsString(Holder.of(host, address));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String key(String vlan, IpAddress address) {
    return ROOT + vlan + "/" + address;
  }
}
