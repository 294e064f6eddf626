package io.flannelvlan.driver;

import java.util.Locale;

/**
 * A setting of {@code flannelvlan serve}: an environment variable of this name, or the flag of the
 * same name in lower case with dashes. The flag wins.
 */
enum Setting {
  ETCD_ENDPOINTS(
      "",
      "comma list of your etcd's client URLs, such as http://etcd1:2379; with it and JOIN empty,"
          + " this host carries an etcd"),
  JOIN("", "the line in STATE_DIR/join of the host that carries the etcd"),
  ETCD_PREFIX("/coreos.com/network", "where flannel's networks are kept in etcd"),
  ETCD_CACERT("", "PEM file of the CA that signed etcd's certificate"),
  ETCD_CERT("", "PEM file of this host's client certificate"),
  ETCD_KEY("", "PEM file of its key, PKCS#8"),
  ETCD_USER("", "etcd user"),
  ETCD_PASSWORD_FILE("", "file with that user's password"),
  IFACE(
      "", "underlay: a link's name, an address of this host, or a CIDR; else the default route's"),
  PUBLIC_IP("", "address that other hosts send to; else the underlay's"),
  IP_MASQ("true", "whether VLANs reach the outside under this host's address"),
  NETWORKS(
      "all",
      "VLANs whose Docker networks appear on this host by themselves: all, none, or a comma list"),
  SOCKET("/run/docker/plugins/flannelvlan.sock", "where dockerd finds the plugin"),
  PLAIN_SOCKET("", "a second one, where dockerd finds the managed plugin by its plain name"),
  STATE_DIR("/var/lib/flannelvlan", "what must survive a reboot"),
  RUN_DIR("/run/flannelvlan", "admin socket"),
  DOCKER_HOST("unix:///run/docker.sock", "Docker's API, used in the background only"),
  RECLAIM_AFTER(
      "60s", "how long Docker must not know an endpoint, address or network before it is given up"),
  LOG_LEVEL("info", "error, warn, info, debug or trace"),
  LOG_FORMAT("text", "text or json");

  private final String standard;
  private final String meaning;

  Setting(String standard, String meaning) {
    this.standard = standard;
    this.meaning = meaning;
  }

  String standard() {
    return standard;
  }

  String meaning() {
    return meaning;
  }

  /** {@code ETCD_ENDPOINTS} as {@code --etcd-endpoints}. */
  String flag() {
    return "--" + name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
