package io.flannelvlan.tests.invariants;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.tests.lab.EtcdStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What etcd holds, as far as it can be read: what is broken concerns nobody.
 *
 * @param vlans the names of those that have a config
 * @param direct of those whose hosts need no tunnel
 */
record EtcdLook(List<String> vlans, List<String> direct, List<Lease> leases, List<Held> addresses) {
  private static final Pattern CONFIG = Pattern.compile("/coreos\\.com/network/([^/]+)/config");
  private static final Pattern LEASE =
      Pattern.compile("/coreos\\.com/network/([^/]+)/subnets/([0-9.]+)-([0-9]+)");
  private static final Pattern ADDRESS =
      Pattern.compile("/flannelvlan/addresses/([^/]+)/([0-9.]+)");
  private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");

  /**
   * A host's subnet of a VLAN.
   *
   * @param host by its public address
   */
  record Lease(String vlan, Subnet subnet, String host, String mac) {}

  /** An address that a host says it gave out. */
  record Held(String vlan, String address, String host, Optional<String> endpoint) {
    @Override
    public String toString() {
      return vlan + "/" + address + endpoint.map(id -> " of endpoint " + id).orElse("");
    }
  }

  static EtcdLook at(EtcdStore etcd) {
    EtcdLook look =
        new EtcdLook(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    JsonNode all =
        Json.read(etcd.etcdctl("get", "--prefix", "/", "--write-out", "json").orThrow().out());
    all.path("kvs").forEach(kv -> look.add(text(kv, "key"), Json.tryRead(text(kv, "value"))));
    return look;
  }

  Stream<Lease> leasesOf(String host) {
    return leases.stream().filter(lease -> lease.host().equals(host));
  }

  Stream<Held> addressesOf(String host) {
    return addresses.stream().filter(held -> held.host().equals(host));
  }

  private void add(String key, JsonNode value) {
    Matcher config = CONFIG.matcher(key);
    if (config.matches() && value.has("Network")) {
      vlans.add(config.group(1));
    }
    if (config.matches() && value.path("Backend").path("DirectRouting").asBoolean()) {
      direct.add(config.group(1));
    }
    Matcher lease = LEASE.matcher(key);
    if (lease.matches()) {
      addLease(lease.group(1), new Subnet(lease.group(2), lease.group(3)), value);
    }
    Matcher address = ADDRESS.matcher(key);
    if (address.matches() && value.path("host").isTextual()) {
      addresses.add(
          new Held(
              address.group(1),
              address.group(2),
              value.path("host").asText(),
              Optional.ofNullable(value.path("endpoint").textValue())));
    }
  }

  private void addLease(String vlan, Subnet subnet, JsonNode value) {
    String mac =
        value.path("BackendData").path("VtepMAC").asText("").toLowerCase(java.util.Locale.ROOT);
    boolean readable =
        value.path("PublicIP").asText("").matches("[0-9]+(\\.[0-9]+){3}")
            && value.path("BackendType").asText("").equals("vxlan")
            && MAC.matcher(mac).matches();
    if (readable) {
      leases.add(new Lease(vlan, subnet, value.path("PublicIP").asText(), mac));
    }
  }

  private static String text(JsonNode kv, String field) {
    return new String(
        Base64.getDecoder().decode(kv.path(field).asText("")), StandardCharsets.UTF_8);
  }
}
