package io.flannelvlan.etcdserver;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;

/**
 * A certificate authority of this cluster's own, with the two it has signed: all in one keystore,
 * made by the JDK's keytool, which every Java runtime has, and readable by its owner alone.
 */
final class Authority {

  private static final String AUTHORITY = "authority";
  private static final String SERVER = "server";
  private static final String CLIENT = "client";

  /** PKCS#12 wants a password; the file's mode is what protects it. */
  private static final String PASSWORD = "flannelvlan";

  /** Nobody renews what lies on a host for years; a line that leaked is rotated. */
  private static final String VALIDITY_DAYS = "10950";

  /** A host whose clock is behind must not refuse a new certificate. */
  private static final String FROM = "-2d";

  private final KeyStore keys;

  private Authority(KeyStore keys) {
    this.keys = keys;
  }

  /** The one in this file, made if there is none. */
  static Authority in(Path file) throws IOException {
    if (!Files.exists(file)) {
      make(file);
    }
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(in, PASSWORD.toCharArray());
      return new Authority(keys);
    } catch (GeneralSecurityException e) {
      throw new IOException("read " + file, e);
    }
  }

  /** For etcd itself. */
  Credentials server() throws IOException {
    return credentials(SERVER);
  }

  /** For every host of the cluster. */
  Credentials client() throws IOException {
    return credentials(CLIENT);
  }

  private Credentials credentials(String alias) throws IOException {
    try {
      Key key = keys.getKey(alias, PASSWORD.toCharArray());
      return new Credentials(
          pem(keys.getCertificate(AUTHORITY)),
          pem(keys.getCertificate(alias)),
          Pem.of(Pem.PRIVATE_KEY, key.getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IOException("read the key of " + alias, e);
    }
  }

  private static String pem(Certificate certificate) throws GeneralSecurityException {
    return Pem.of(Pem.CERTIFICATE, certificate.getEncoded());
  }

  /** In a directory for its owner alone: keytool leaves the mode to the umask. */
  private static void make(Path file) throws IOException {
    Path workshop =
        Files.createTempDirectory(
            file.toAbsolutePath().getParent(),
            ".authority",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path draft = workshop.resolve("keys");
    try {
      keytool(draft, AUTHORITY, "-ext", "bc:critical=ca:true", "-ext", "ku:critical=keyCertSign");
      keytool(
          draft,
          SERVER,
          "-signer",
          AUTHORITY,
          "-ext",
          "eku=serverAuth,clientAuth",
          "-ext",
          "san=dns:" + Credentials.SERVER_NAME + ",dns:localhost,ip:127.0.0.1");
      keytool(draft, CLIENT, "-signer", AUTHORITY, "-ext", "eku=clientAuth");
      Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-------"));
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(draft);
      Files.delete(workshop);
    }
  }

  private static void keytool(Path store, String alias, String... more) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1",
                "-J-Xmx32m",
                "-genkeypair",
                "-alias",
                alias,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=flannelvlan " + alias,
                "-startdate",
                FROM,
                "-validity",
                VALIDITY_DAYS,
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString()));
    command.addAll(List.of(more));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        // What went wrong is its last word; before that it tells what it was about to do.
        String last = said.strip().lines().reduce((_, next) -> next).orElse("no reason");
        throw new IOException("make the key of " + alias + ": " + last);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("make the key of " + alias + ": interrupted", e);
    }
  }
}
