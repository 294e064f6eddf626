package io.flannelvlan.flannel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * flannel's JSON, both ways: read as generously as flanneld reads, written as flanneld writes.
 *
 * <p>A config's members that hold their default are left out, so that the least config is what the
 * documentation of flannel shows.
 */
public final class FlannelJson {

  private static final int FLANNELS_DEFAULT_VNI = 1;

  private FlannelJson() {}

  /**
   * Reads the value of {@code key} as a network config.
   *
   * @throws FlannelFormatException if flannel would refuse it, or if it is not VXLAN over IPv4
   */
  public static NetworkConfig readConfig(String key, String value) {
    try {
      JsonFields config = JsonFields.parse(value);
      // One key names the subnets of both families, and flanneld without IPv6 dies of such a key.
      if (config.flag("EnableIPv6", false)) {
        throw new IllegalArgumentException(
            "EnableIPv6 is true, but only IPv4 VLANs are supported: remove EnableIPv6");
      }
      if (!config.flag("EnableIPv4", true)) {
        throw new IllegalArgumentException(
            "EnableIPv4 is false, but only IPv4 VLANs are supported: remove EnableIPv4");
      }
      return new NetworkConfig(layout(config), backend(config));
    } catch (IllegalArgumentException e) {
      throw new FlannelFormatException(key, String.valueOf(e.getMessage()), e);
    }
  }

  /** The config as flannel reads it, without blanks. */
  public static String write(NetworkConfig config) {
    SubnetLayout layout = config.layout();
    Cidr range = layout.range();
    ObjectNode json = JsonFields.newObject();
    json.put("Network", range.toString());
    boolean defaultLen =
        range.length() <= 28 && layout.subnetLen() == SubnetLayout.of(range).subnetLen();
    if (!defaultLen) {
      json.put("SubnetLen", layout.subnetLen());
    }
    SubnetLayout whole = SubnetLayout.of(range, layout.subnetLen());
    if (!layout.subnetMin().equals(whole.subnetMin())) {
      json.put("SubnetMin", layout.subnetMin().toString());
    }
    if (!layout.subnetMax().equals(whole.subnetMax())) {
      json.put("SubnetMax", layout.subnetMax().toString());
    }
    json.set("Backend", backend(config.backend()));
    return json.toString();
  }

  /**
   * Reads the value of {@code key} as a lease.
   *
   * @throws FlannelFormatException if it is none; a backend other than VXLAN is no fault
   */
  public static LeaseAttributes readLease(String key, String value) {
    try {
      JsonFields lease = JsonFields.parse(value);
      IpAddress publicIp =
          lease
              .text("PublicIP")
              .map(text -> address("PublicIP", text))
              .orElseThrow(() -> new IllegalArgumentException("PublicIP is missing"));
      return new LeaseAttributes(
          publicIp,
          lease.text("PublicIPv6").map(text -> address("PublicIPv6", text)),
          leaseBackend(lease));
    } catch (IllegalArgumentException e) {
      throw new FlannelFormatException(
          key, e.getMessage() + " (value " + JsonFields.quote(value) + ")", e);
    }
  }

  /** The lease as flanneld writes it, without blanks. */
  public static String write(LeaseAttributes lease) {
    ObjectNode json = JsonFields.newObject();
    json.put("PublicIP", lease.publicIp().toString());
    lease
        .publicIpv6()
        .ifPresentOrElse(
            address -> json.put("PublicIPv6", address.toString()),
            () -> json.putNull("PublicIPv6"));
    switch (lease.backend()) {
      case LeaseBackend.VxlanVtep vtep -> {
        json.put("BackendType", vtep.type());
        ObjectNode data = json.putObject("BackendData");
        vtep.vni().ifPresent(vni -> data.put("VNI", vni.number()));
        data.put("VtepMAC", vtep.vtepMac().toString());
      }
      case LeaseBackend.Other other -> {
        if (!other.type().isEmpty()) {
          json.put("BackendType", other.type());
        }
        if (!other.data().isEmpty()) {
          json.putRawValue("BackendData", new RawValue(other.data()));
        }
      }
    }
    return json.toString();
  }

  /** Whose a lease is, even if the rest of its value cannot be read. */
  static Optional<IpAddress> publicIpOf(String value) {
    try {
      return JsonFields.parse(value).text("PublicIP").map(IpAddress::parse);
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /** A config's range, even if the rest of its value cannot be used. */
  static Optional<Cidr> rangeOf(String value) {
    try {
      return JsonFields.parse(value).text("Network").map(FlannelJson::range);
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static SubnetLayout layout(JsonFields config) {
    Cidr range =
        config
            .text("Network")
            .map(FlannelJson::range)
            .orElseThrow(() -> new IllegalArgumentException("Network is missing"));
    int given = config.number("SubnetLen").orElse(0);
    if (given < 0) {
      throw new IllegalArgumentException("SubnetLen " + given + " is negative");
    }
    int subnetLen = given == 0 ? SubnetLayout.defaultSubnetLen(range) : given;
    return new SubnetLayout(
        range,
        subnetLen,
        bound(config, "SubnetMin").orElseGet(() -> SubnetLayout.defaultMin(range, subnetLen)),
        bound(config, "SubnetMax").orElseGet(() -> SubnetLayout.defaultMax(range, subnetLen)));
  }

  private static Vxlan backend(JsonFields config) {
    JsonFields backend =
        config
            .fields("Backend")
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "Backend is missing, which flannel takes for udp:"
                        + " add \"Backend\":{\"Type\":\"vxlan\",\"VNI\":…}"));
    String type = backend.text("Type").orElse("");
    if (!type.toLowerCase(Locale.ROOT).equals(LeaseBackend.VxlanVtep.TYPE)) {
      throw new IllegalArgumentException(
          "Backend Type \"" + type + "\" is not supported: only vxlan is");
    }
    int port = backend.number("Port").orElse(0);
    OptionalInt mtu = backend.number("MTU");
    return new Vxlan(
        new Vni(backend.number("VNI").orElse(FLANNELS_DEFAULT_VNI)),
        port == 0 ? Vxlan.DEFAULT_PORT : port,
        mtu.isPresent() && mtu.getAsInt() == 0 ? OptionalInt.empty() : mtu,
        backend.flag("GBP", false),
        backend.flag("Learning", false),
        backend.flag("DirectRouting", false));
  }

  private static ObjectNode backend(Vxlan vxlan) {
    ObjectNode json = JsonFields.newObject();
    json.put("Type", LeaseBackend.VxlanVtep.TYPE);
    json.put("VNI", vxlan.vni().number());
    if (vxlan.port() != Vxlan.DEFAULT_PORT) {
      json.put("Port", vxlan.port());
    }
    vxlan.mtu().ifPresent(mtu -> json.put("MTU", mtu));
    if (vxlan.gbp()) {
      json.put("GBP", true);
    }
    if (vxlan.learning()) {
      json.put("Learning", true);
    }
    if (vxlan.directRouting()) {
      json.put("DirectRouting", true);
    }
    return json;
  }

  private static LeaseBackend leaseBackend(JsonFields lease) {
    String type = lease.text("BackendType").orElse("");
    if (!type.equals(LeaseBackend.VxlanVtep.TYPE)) {
      return new LeaseBackend.Other(
          type, lease.node("BackendData").map(JsonNode::toString).orElse(""));
    }
    JsonFields data =
        lease
            .fields("BackendData")
            .orElseThrow(() -> new IllegalArgumentException("BackendData is missing"));
    MacAddress mac =
        data.text("VtepMAC")
            .map(MacAddress::parse)
            .orElseThrow(() -> new IllegalArgumentException("VtepMAC is missing"));
    OptionalInt vni = data.number("VNI");
    // Nobody compares it, so one that is none must not cost the peer.
    boolean known = vni.isPresent() && vni.getAsInt() >= 1 && vni.getAsInt() <= Vni.MAX;
    return new LeaseBackend.VxlanVtep(
        known ? Optional.of(new Vni(vni.getAsInt())) : Optional.empty(), mac);
  }

  /** flannel drops host bits without a word. */
  private static Cidr range(String text) {
    Cidr range;
    try {
      range = InterfaceAddress.parse(text).subnet();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("Network \"" + text + "\" is not a CIDR", e);
    }
    if (!range.base().isIpv4()) {
      throw new IllegalArgumentException("Network " + range + " is not IPv4");
    }
    return range;
  }

  private static Optional<IpAddress> bound(JsonFields config, String name) {
    // 0.0.0.0 is how flannel's own type says "not given".
    return config.text(name).map(text -> address(name, text)).filter(address -> address.low() != 0);
  }

  private static IpAddress address(String name, String text) {
    try {
      return IpAddress.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }
}
