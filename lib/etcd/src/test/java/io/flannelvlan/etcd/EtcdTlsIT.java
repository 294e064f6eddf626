package io.flannelvlan.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.etcd.TestingCa.Signed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ways in which a user's own etcd lets us in, and what is said when it does not. */
class EtcdTlsIT {

  private static final Duration LIMIT = Duration.ofSeconds(15);
  private static final int VALID = 30;

  /** It began three days ago. */
  private static final int EXPIRED = 1;

  @TempDir Path dir;
  private TestingCa ca;
  private Optional<TestingEtcd> server = Optional.empty();

  @BeforeEach
  void authority() throws IOException {
    ca = new TestingCa(dir.resolve("ca"));
  }

  @AfterEach
  void end() {
    server.ifPresent(TestingEtcd::close);
  }

  @Test
  void mutualTlsLetsInWhoHasACertificateAndNobodyElse() throws IOException {
    TestingEtcd etcd = mutual(ca, VALID);
    Signed client = ca.sign("client", VALID);
    assertWorks(settings(etcd, ca.cert(), Optional.of(client)));
    assertAway(settings(etcd, ca.cert(), Optional.empty()), "certificate");
    Signed stranger = new TestingCa(dir.resolve("other")).sign("client", VALID);
    assertAway(settings(etcd, ca.cert(), Optional.of(stranger)), "");
  }

  @Test
  void theAuthorityAloneWillDoWhereEtcdAsksForNoCertificate() throws IOException {
    TestingEtcd etcd = serverOnly(ca, VALID);
    assertWorks(settings(etcd, ca.cert(), Optional.empty()));
    assertAway(
        settings(etcd, new TestingCa(dir.resolve("other")).cert(), Optional.empty()),
        "Path does not chain with any of the trust anchors");
  }

  @Test
  void userAndPasswordWorkOverTls() throws IOException {
    TestingEtcd etcd = serverOnly(ca, VALID);
    String trust = "--cacert=" + ca.cert();
    for (String command :
        List.of(
            "user add root:secret",
            "user grant-role root root",
            "role add vlans",
            "role grant-permission vlans --prefix=true readwrite /vlans/",
            "user add host:word",
            "user grant-role host vlans",
            "auth enable")) {
      etcd.ctl((trust + " " + command).split(" "));
    }
    EtcdSettings plain = settings(etcd, ca.cert(), Optional.empty());
    try (Etcd client = Etcd.open(user(plain, "host", "word"))) {
      client.put("/vlans/a", "1");
      assertThat(client.get("/vlans/a").map(KeyValue::value)).contains("1");
      assertThatThrownBy(() -> client.put("/other", "1")).hasMessageContaining("permission denied");
    }
    try (Etcd client = Etcd.open(user(plain, "host", "wrong"))) {
      assertThatThrownBy(() -> client.get("/vlans/a")).hasMessageContaining("invalid user ID");
    }
    try (Etcd client = Etcd.open(plain)) {
      assertThatThrownBy(() -> client.get("/vlans/a")).hasMessageContaining("user name is empty");
    }
  }

  @Test
  void certificatesThatAreReplacedOnDiskAreTakenUpWithoutARestart() throws IOException {
    TestingEtcd etcd = mutual(ca, VALID);
    Signed client = ca.sign("client", VALID);
    try (Etcd open = Etcd.open(settings(etcd, ca.cert(), Optional.of(client)))) {
      open.put("/a", "1");
      TestingCa next = new TestingCa(dir.resolve("next"));
      Signed renewed = next.sign("client", VALID);
      etcd.restart(mutualOptions(next, next.sign("server", VALID)));
      replace(next.cert(), ca.cert());
      replace(renewed.cert(), client.cert());
      replace(renewed.key(), client.key());
      Waiting.until("answers again", LIMIT, () -> answers(open));
      assertThat(open.get("/a").map(KeyValue::value)).contains("1");
    }
  }

  @Test
  void anExpiredCertificateIsNamedAndItsSuccessorTaken() throws IOException {
    TestingEtcd etcd = mutual(ca, VALID);
    Signed client = ca.sign("client", EXPIRED);
    try (Etcd open = Etcd.open(settings(etcd, ca.cert(), Optional.of(client)))) {
      Waiting.until("is told", LIMIT, () -> open.health().isAway());
      assertThatThrownBy(() -> open.get("/a"))
          .hasMessageContaining("the certificate in " + client.cert() + " expired at ")
          .hasMessageContaining("replace it, no restart is needed");
      Signed renewed = ca.sign("renewed", VALID);
      replace(renewed.cert(), client.cert());
      replace(renewed.key(), client.key());
      Waiting.until("answers", LIMIT, open::isReachable);
    }
  }

  @Test
  void anExpiredCertificateOfEtcdsIsNamedToo() throws IOException {
    TestingEtcd etcd = serverOnly(ca, EXPIRED);
    assertAway(
        settings(etcd, ca.cert(), Optional.empty()),
        "the certificate that etcd shows has expired (NotAfter: ");
  }

  private static boolean answers(Etcd etcd) {
    try {
      etcd.get("/a");
      return true;
    } catch (EtcdException _) {
      return false;
    }
  }

  private static void assertWorks(EtcdSettings settings) {
    try (Etcd client = Etcd.open(settings)) {
      client.put("/a", "1");
      assertThat(client.get("/a").map(KeyValue::value)).contains("1");
    }
  }

  private static void assertAway(EtcdSettings settings, String why) {
    try (Etcd client = Etcd.open(settings)) {
      Waiting.until("is told", LIMIT, () -> client.health().isAway());
      assertThatThrownBy(() -> client.get("/a"))
          .isInstanceOf(EtcdException.class)
          .hasMessageContaining(why);
    }
  }

  private TestingEtcd mutual(TestingCa signer, int days) throws IOException {
    return keep(TestingEtcd.tls(mutualOptions(signer, signer.sign("server", days))));
  }

  private TestingEtcd serverOnly(TestingCa signer, int days) throws IOException {
    Signed signed = signer.sign("server", days);
    return keep(TestingEtcd.tls("--cert-file=" + signed.cert(), "--key-file=" + signed.key()));
  }

  private TestingEtcd keep(TestingEtcd etcd) {
    server = Optional.of(etcd);
    return etcd;
  }

  private static String[] mutualOptions(TestingCa signer, Signed signed) {
    return new String[] {
      "--cert-file=" + signed.cert(),
      "--key-file=" + signed.key(),
      "--trusted-ca-file=" + signer.cert(),
      "--client-cert-auth"
    };
  }

  private static EtcdSettings settings(TestingEtcd etcd, Path ca, Optional<Signed> client) {
    return new EtcdSettings(
        List.of(etcd.endpoint()),
        Optional.of(ca),
        client.map(Signed::cert),
        client.map(Signed::key),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private EtcdSettings user(EtcdSettings settings, String name, String password)
      throws IOException {
    Path file = Files.writeString(dir.resolve(password), password);
    return new EtcdSettings(
        settings.endpoints(),
        settings.caCert(),
        settings.cert(),
        settings.key(),
        settings.serverName(),
        Optional.of(name),
        Optional.of(file));
  }

  private static void replace(Path with, Path place) throws IOException {
    Files.copy(with, place, StandardCopyOption.REPLACE_EXISTING);
  }
}
