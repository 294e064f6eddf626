package io.flannelvlan.etcdserver;

import io.flannelvlan.etcd.EtcdSettings;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What proves to the cluster that somebody is of it, all PEM.
 *
 * @param ca the cluster's own authority
 * @param certificate signed by it
 * @param key PKCS#8
 */
record Credentials(String ca, String certificate, String key) {

  /**
   * The name that the server's certificate bears, wherever it is reached: a host's address may
   * change, and its certificate need not.
   */
  static final String SERVER_NAME = "flannelvlan-etcd";

  static final String CA_FILE = "ca.pem";
  static final String CERTIFICATE_FILE = "client.pem";
  static final String KEY_FILE = "client-key.pem";

  /** Puts them into a directory, where a client that connects anew finds them. */
  void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    PrivateFile.write(directory.resolve(CA_FILE), ca);
    PrivateFile.write(directory.resolve(CERTIFICATE_FILE), certificate);
    PrivateFile.write(directory.resolve(KEY_FILE), key);
  }

  /** For a client that finds them in that directory. */
  static EtcdSettings settings(Path directory, URI endpoint) {
    return new EtcdSettings(
        List.of(endpoint),
        Optional.of(directory.resolve(CA_FILE)),
        Optional.of(directory.resolve(CERTIFICATE_FILE)),
        Optional.of(directory.resolve(KEY_FILE)),
        Optional.of(SERVER_NAME),
        Optional.empty(),
        Optional.empty());
  }

  static Credentials read(Path directory) throws IOException {
    return new Credentials(
        Files.readString(directory.resolve(CA_FILE)),
        Files.readString(directory.resolve(CERTIFICATE_FILE)),
        Files.readString(directory.resolve(KEY_FILE)));
  }
}
