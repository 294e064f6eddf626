package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import java.util.Optional;

/**
 * Where flannel's keys and ours are.
 *
 * @param prefix all VLANs lie below it, one path element each
 */
public record FlannelKeys(String prefix) {

  /** flannel's default prefix, which holds the VLANs of one cluster. */
  public static final String DEFAULT_PREFIX = "/coreos.com/network";

  /**
   * The root of everything that is ours and not flannel's. It depends on no setting, so that hosts
   * find each other's records, and it lies outside every range that a flanneld reads.
   */
  public static final String OWN_ROOT = "/flannelvlan";

  /** Every creation of a VLAN rewrites this key, and so notices any other. */
  static final String REGISTRY = OWN_ROOT + "/registry";

  /** The range of all VLANs' Docker networks. */
  public static final String NETWORKS = OWN_ROOT + "/networks/";

  private static final String CONFIG = "/config";

  /** As flannel joins paths: no doubled slash, none at the end, the first one as it was given. */
  public FlannelKeys {
    prefix = prefix.replaceAll("/{2,}", "/").replaceFirst("/$", "");
    if (prefix.isEmpty()) {
      throw new IllegalArgumentException("the etcd prefix is empty: use " + DEFAULT_PREFIX);
    }
    if (prefix.equals(OWN_ROOT) || prefix.startsWith(OWN_ROOT + "/")) {
      throw new IllegalArgumentException(
          "the etcd prefix \"" + prefix + "\" lies in " + OWN_ROOT + ", which is not flannel's");
    }
  }

  /** Where flanneld's {@code --etcd-prefix} points to for this VLAN. */
  public String vlan(String vlan) {
    return prefix + "/" + Vlan.requireName(vlan);
  }

  /** The range that holds all of this VLAN and nothing of another. */
  String below(String vlan) {
    return vlan(vlan) + "/";
  }

  public String config(String vlan) {
    return vlan(vlan) + CONFIG;
  }

  /** What Docker network all hosts shall have for this VLAN. */
  public static String network(String vlan) {
    return NETWORKS + Vlan.requireName(vlan);
  }

  /** The range that flanneld lists and watches; without a slash at the end, as flanneld has it. */
  public String subnets(String vlan) {
    return vlan(vlan) + "/subnets";
  }

  public String lease(String vlan, SubnetKey subnet) {
    return subnets(vlan) + "/" + subnet;
  }

  /** The range that holds all VLANs. */
  String all() {
    return prefix + "/";
  }

  /** The name in {@code <prefix>/<name>/config}, legal or not; empty for every other key. */
  Optional<String> configOwner(String key) {
    if (!key.startsWith(all()) || !key.endsWith(CONFIG)) {
      return Optional.empty();
    }
    int end = key.length() - CONFIG.length();
    return end <= all().length()
        ? Optional.empty()
        : Optional.of(key.substring(all().length(), end)).filter(name -> name.indexOf('/') < 0);
  }

  /** The reservations of subnets of one range, whatever the VLAN will be called. */
  static String reservations(Cidr range) {
    return OWN_ROOT + "/reservations/" + SubnetKey.element(range) + "/";
  }

  static String reservation(Cidr range, Cidr subnet) {
    return reservations(range) + SubnetKey.element(subnet);
  }
}
