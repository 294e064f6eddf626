package io.flannelvlan.driver;

import io.flannelvlan.driver.shared.NetworkChoice;
import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.etcdserver.JoinLine;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.net.IpAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The settings as values; one that exists is valid. */
record Config(
    EtcdChoice etcd,
    FlannelKeys keys,
    String iface,
    Optional<IpAddress> publicIp,
    boolean masquerade,
    List<Path> sockets,
    Path stateDir,
    Path runDir,
    NetworkChoice networks,
    DockerSettings docker,
    LogSettings log) {

  /** What Docker calls us: it looks for {@code NAME.sock}, the plain one of a managed plugin. */
  String driverName() {
    return String.valueOf(sockets.getLast().getFileName()).replaceFirst("\\.sock$", "");
  }

  /** Where people and their scripts find the daemon. */
  Path adminSocket() {
    return adminSocket(runDir);
  }

  static Path adminSocket(Path runDir) {
    return runDir.resolve("admin.sock");
  }

  /** What means nothing without an etcd of one's own. */
  private static final List<Setting> OF_OWN_ETCD =
      List.of(
          Setting.ETCD_CACERT,
          Setting.ETCD_CERT,
          Setting.ETCD_KEY,
          Setting.ETCD_USER,
          Setting.ETCD_PASSWORD_FILE);

  /**
   * Checks the texts.
   *
   * @throws ConfigException naming the setting and what it may be
   */
  static Config of(Settings settings) {
    return new Config(
        etcd(settings),
        keys(settings),
        settings.text(Setting.IFACE),
        settings.given(Setting.PUBLIC_IP).map(Config::publicIp),
        settings.flag(Setting.IP_MASQ),
        sockets(settings),
        path(settings, Setting.STATE_DIR),
        path(settings, Setting.RUN_DIR),
        networks(settings),
        DockerSettings.of(settings),
        LogSettings.of(settings));
  }

  private static EtcdChoice etcd(Settings settings) {
    List<URI> endpoints = settings.list(Setting.ETCD_ENDPOINTS).stream().map(Config::uri).toList();
    Optional<String> line = settings.given(Setting.JOIN);
    if (line.isPresent() && !endpoints.isEmpty()) {
      throw new ConfigException(
          "both JOIN and ETCD_ENDPOINTS are set: JOIN is for the etcd that another host carries,"
              + " ETCD_ENDPOINTS for one of your own");
    }
    if (endpoints.isEmpty()) {
      for (Setting setting : OF_OWN_ETCD) {
        if (settings.given(setting).isPresent()) {
          throw new ConfigException(
              setting + " is set, but ETCD_ENDPOINTS is not: name the URLs of your etcd, too");
        }
      }
      return line.<EtcdChoice>map(text -> new EtcdChoice.Joined(joinLine(text)))
          .orElseGet(EtcdChoice.Carried::new);
    }
    try {
      return new EtcdChoice.Own(
          new EtcdSettings(
              endpoints,
              file(settings, Setting.ETCD_CACERT),
              file(settings, Setting.ETCD_CERT),
              file(settings, Setting.ETCD_KEY),
              Optional.empty(),
              settings.given(Setting.ETCD_USER),
              file(settings, Setting.ETCD_PASSWORD_FILE)));
    } catch (IllegalArgumentException e) {
      throw new ConfigException("etcd: " + e.getMessage());
    }
  }

  private static JoinLine joinLine(String text) {
    try {
      return JoinLine.parse(text);
    } catch (IllegalArgumentException e) {
      // Not the text itself: it holds a key.
      throw new ConfigException("JOIN: " + e.getMessage());
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

  private static List<Path> sockets(Settings settings) {
    return Stream.concat(
            Stream.of(path(settings, Setting.SOCKET)),
            settings.given(Setting.PLAIN_SOCKET).map(Path::of).stream())
        .toList();
  }

  private static NetworkChoice networks(Settings settings) {
    try {
      return NetworkChoice.of(settings.list(Setting.NETWORKS));
    } catch (IllegalArgumentException e) {
      throw new ConfigException("NETWORKS: " + e.getMessage());
    }
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
