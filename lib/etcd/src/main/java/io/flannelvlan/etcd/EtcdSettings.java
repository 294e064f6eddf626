package io.flannelvlan.etcd;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where etcd is and how to be let in.
 *
 * @param endpoints {@code http://host:port} or {@code https://host:port}, all of one kind
 * @param caCert the authority that signed etcd's certificate, PEM; empty: the JVM's own list
 * @param cert this client's certificate, PEM, and with it {@code key}
 * @param key this client's key, PEM in PKCS#8
 * @param serverName what etcd's certificate is for; empty: the endpoint's host
 * @param user name, and with it {@code passwordFile}
 */
public record EtcdSettings(
    List<URI> endpoints,
    Optional<Path> caCert,
    Optional<Path> cert,
    Optional<Path> key,
    Optional<String> serverName,
    Optional<String> user,
    Optional<Path> passwordFile) {

  public EtcdSettings {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("no etcd endpoint: give at least one http(s)://host:port");
    }
    endpoints.forEach(EtcdSettings::check);
    if (endpoints.stream().map(EtcdSettings::isTls).distinct().count() > 1) {
      throw new IllegalArgumentException(
          "etcd endpoints " + endpoints + " mix http and https: use one of them for all");
    }
    if (cert.isPresent() != key.isPresent()) {
      throw new IllegalArgumentException("etcd client certificate and key: give both or none");
    }
    if (user.isPresent() != passwordFile.isPresent()) {
      throw new IllegalArgumentException("etcd user and password file: give both or none");
    }
    if (!isTls(endpoints.getFirst()) && (caCert.isPresent() || cert.isPresent())) {
      throw new IllegalArgumentException(
          "etcd certificates are set, but " + endpoints + " are http: write https");
    }
  }

  /** etcd without TLS and without users. */
  public static EtcdSettings plain(URI... endpoints) {
    return new EtcdSettings(
        List.of(endpoints),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** What to look at when etcd cannot be reached. */
  String advice() {
    return "check that etcd runs and that this host reaches it"
        + (serverName.isPresent()
            ? ", and that JOIN is the line in STATE_DIR/join of its host"
            : isTls() ? ", and that the certificates fit" : "");
  }

  boolean isTls() {
    return isTls(endpoints.getFirst());
  }

  private static boolean isTls(URI endpoint) {
    return endpoint.getScheme().equals("https");
  }

  private static void check(URI endpoint) {
    String scheme = endpoint.getScheme();
    if (endpoint.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
      throw new IllegalArgumentException(
          "\"" + endpoint + "\" is no etcd endpoint: write http://host:port or https://host:port");
    }
  }
}
