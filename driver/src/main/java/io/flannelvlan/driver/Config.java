package io.flannelvlan.driver;

import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.net.IpAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The settings as values; one that exists is valid. */
record Config(
    EtcdSettings etcd,
    FlannelKeys keys,
    String iface,
    Optional<IpAddress> publicIp,
    boolean masquerade,
    Path socket,
    Path stateDir,
    Path runDir,
    DockerSettings docker,
    LogSettings log) {

  /** The settings that this release does not act on yet; given, they stop the start. */
  private static final Map<Setting, String> NOT_YET =
      Map.of(
          Setting.JOIN,
          "the embedded etcd comes with a later release; set ETCD_ENDPOINTS",
          Setting.NETWORKS,
          "comes with a later release; create the networks with docker network create");

  /**
   * Checks the texts.
   *
   * @throws ConfigException naming the setting and what it may be
   */
  static Config of(Settings settings) {
    NOT_YET.forEach((setting, why) ->
        settings
            .given(setting)
            .ifPresent(text -> {
              throw new ConfigException(setting + "=" + text + ": " + why);
            }));
    return new Config(
        etcd(settings),
        keys(settings),
        settings.text(Setting.IFACE),
        settings.given(Setting.PUBLIC_IP).map(Config::publicIp),
        settings.flag(Setting.IP_MASQ),
        path(settings, Setting.SOCKET),
        path(settings, Setting.STATE_DIR),
        path(settings, Setting.RUN_DIR),
        DockerSettings.of(settings),
        LogSettings.of(settings));
  }

  private static EtcdSettings etcd(Settings settings) {
    List<URI> endpoints = settings.list(Setting.ETCD_ENDPOINTS).stream().map(Config::uri).toList();
    if (endpoints.isEmpty()) {
      throw new ConfigException(
          "ETCD_ENDPOINTS is empty: name the client URLs of your etcd, such as"
              + " ETCD_ENDPOINTS=http://etcd1:2379");
    }
    try {
      return new EtcdSettings(
          endpoints,
          file(settings, Setting.ETCD_CACERT),
          file(settings, Setting.ETCD_CERT),
          file(settings, Setting.ETCD_KEY),
          settings.given(Setting.ETCD_USER),
          file(settings, Setting.ETCD_PASSWORD_FILE));
    } catch (IllegalArgumentException e) {
      throw new ConfigException("etcd: " + e.getMessage());
    }
  }

  private static URI uri(String text) {
    try {
      URI uri = new URI(text);
      boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (http && uri.getHost() != null) {
        return uri;
      }
    } catch (URISyntaxException _) {
      // The one message for both.
    }
    throw new ConfigException(
        "ETCD_ENDPOINTS: \"" + text + "\" is no URL such as http://etcd1:2379");
  }

  private static Optional<Path> file(Settings settings, Setting setting) {
    Optional<Path> path = settings.given(setting).map(Path::of);
    if (path.isPresent() && !Files.isReadable(path.get())) {
      throw new ConfigException(setting + "=" + path.get() + ": no such readable file");
    }
    return path;
  }

  private static Path path(Settings settings, Setting setting) {
    return settings
        .given(setting)
        .map(Path::of)
        .orElseThrow(() -> new ConfigException(setting + " is empty: " + setting.meaning()));
  }

  private static FlannelKeys keys(Settings settings) {
    try {
      return new FlannelKeys(settings.text(Setting.ETCD_PREFIX));
    } catch (IllegalArgumentException e) {
      throw new ConfigException("ETCD_PREFIX: " + e.getMessage());
    }
  }

  private static IpAddress publicIp(String text) {
    try {
      IpAddress address = IpAddress.parse(text);
      if (address.isIpv4()) {
        return address;
      }
    } catch (IllegalArgumentException _) {
      // The one message for both.
    }
    throw new ConfigException("PUBLIC_IP=" + text + " is no IPv4 address");
  }
}
