package io.flannelvlan.etcd;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A certificate authority, and what it signs, as PEM files: made by keytool. */
final class TestingCa {

  private static final String PASSWORD = "testing";

  private final Path dir;
  private final Path store;

  /** An authority whose files lie in this directory. */
  TestingCa(Path dir) throws IOException {
    this.dir = Files.createDirectories(dir);
    this.store = dir.resolve("keys.p12");
    keytool("ca", "-startdate", "-10d", "-validity", "100", "-ext", "bc:critical=ca:true");
    writeCertificate("ca");
  }

  /** A certificate and its key. */
  record Signed(Path cert, Path key) {}

  Path cert() {
    return dir.resolve("ca.pem");
  }

  /**
   * Signs one for 127.0.0.1, for either end of a connection.
   *
   * @param days from three days ago on
   */
  Signed sign(String name, int days) throws IOException {
    keytool(
        name,
        "-signer",
        "ca",
        "-startdate",
        "-3d",
        "-validity",
        Integer.toString(days),
        "-ext",
        "eku=serverAuth,clientAuth",
        "-ext",
        "san=ip:127.0.0.1");
    writeCertificate(name);
    try {
      byte[] key = keys().getKey(name, PASSWORD.toCharArray()).getEncoded();
      write(name + ".key", "PRIVATE KEY", key);
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
    return new Signed(dir.resolve(name + ".pem"), dir.resolve(name + ".key"));
  }

  private void writeCertificate(String name) throws IOException {
    try {
      write(name + ".pem", "CERTIFICATE", keys().getCertificate(name).getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private void write(String file, String label, byte[] der) throws IOException {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        dir.resolve(file),
        "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
  }

  private KeyStore keys() throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    return keys;
  }

  private void keytool(String alias, String... more) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                alias,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=" + alias,
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString()));
    command.addAll(List.of(more));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new UncheckedIOException(new IOException(said));
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
