package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.driver.shared.NetworkChoice;
import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.flannel.FlannelKeys;
import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigTest {

  private static final String ETCD = "--etcd-endpoints=http://etcd1:2379";

  @TempDir Path dir;

  @Test
  void theDefaultsAreTheOnesThatToolsRelyOn() {
    assertThat(config(Map.of(), ETCD))
        .isEqualTo(
            new Config(
                new EtcdChoice.Own(EtcdSettings.plain(URI.create("http://etcd1:2379"))),
                new FlannelKeys("/coreos.com/network"),
                "",
                Optional.empty(),
                true,
                List.of(Path.of("/run/docker/plugins/flannelvlan.sock")),
                Path.of("/var/lib/flannelvlan"),
                Path.of("/run/flannelvlan"),
                new NetworkChoice.All(),
                new DockerSettings(Path.of("/run/docker.sock"), Duration.ofMinutes(1)),
                new LogSettings(LogSettings.Level.INFO, LogSettings.Format.TEXT)));
  }

  @Test
  void theNamesOfTheSettingsAreAContract() {
    assertThat(Arrays.stream(Setting.values()).map(Setting::name))
        .containsExactly(
            "ETCD_ENDPOINTS",
            "JOIN",
            "ETCD_PREFIX",
            "ETCD_CACERT",
            "ETCD_CERT",
            "ETCD_KEY",
            "ETCD_USER",
            "ETCD_PASSWORD_FILE",
            "IFACE",
            "PUBLIC_IP",
            "IP_MASQ",
            "NETWORKS",
            "SOCKET",
            "PLAIN_SOCKET",
            "STATE_DIR",
            "RUN_DIR",
            "DOCKER_HOST",
            "RECLAIM_AFTER",
            "LOG_LEVEL",
            "LOG_FORMAT");
    assertThat(Setting.ETCD_PASSWORD_FILE.flag()).isEqualTo("--etcd-password-file");
  }

  @Test
  void flagsWinOverTheEnvironmentAndBothFormsOfAFlagAreTaken() {
    Map<String, String> environment =
        Map.of(
            "ETCD_ENDPOINTS", " http://a:1 , http://b:2 ,",
            "IFACE", "eth9",
            "IP_MASQ", "false",
            "PUBLIC_IP", " ",
            "SOCKET", "/tmp/x.sock");
    Config config =
        config(
            environment, "--iface", "10.0.0.0/8", "--socket=/tmp/y.sock", "--log-level", "DEBUG");
    assertThat(own(config).endpoints())
        .containsExactly(URI.create("http://a:1"), URI.create("http://b:2"));
    assertThat(config.iface()).isEqualTo("10.0.0.0/8");
    assertThat(config.masquerade()).isFalse();
    assertThat(config.publicIp()).isEmpty();
    assertThat(config.sockets()).containsExactly(Path.of("/tmp/y.sock"));
    assertThat(config.log().level()).isEqualTo(LogSettings.Level.DEBUG);
    assertThat(config(Map.of(), ETCD, "--public-ip=198.51.100.11").publicIp())
        .contains(IpAddress.parse("198.51.100.11"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--verbose=1                  | unknown flag --verbose; known are --etcd-endpoints --join",
        "serve                        | unknown flag serve; known are",
        "--iface                      | --iface needs a value: underlay",
        "--ip-masq=yes                | IP_MASQ=yes is neither true nor false",
        "--public-ip=fe80::1          | PUBLIC_IP=fe80::1 is no IPv4 address",
        "--public-ip=host1            | PUBLIC_IP=host1 is no IPv4 address",
        "--log-level=loud             | LOG_LEVEL=loud is none of [error, warn, info, debug, trace]",
        "--log-format=xml             | LOG_FORMAT=xml is none of [text, json]",
        "--etcd-endpoints=etcd1:2379  | ETCD_ENDPOINTS: \"etcd1:2379\" is no URL",
        "--etcd-endpoints=ftp://e:1   | ETCD_ENDPOINTS: \"ftp://e:1\" is no URL",
        "--etcd-prefix=/              | ETCD_PREFIX: the etcd prefix is empty",
        "--etcd-prefix=/flannelvlan/x | ETCD_PREFIX: the etcd prefix \"/flannelvlan/x\" lies in",
        "--etcd-cacert=/no/such       | ETCD_CACERT=/no/such: no such readable file",
        "--etcd-user=root             | etcd: etcd user and password file: give both or none",
        "--join=abc                   | both JOIN and ETCD_ENDPOINTS are set",
        "--networks=vlan/2            | NETWORKS: \"vlan/2\" cannot name a VLAN",
        "--networks=all,vlan002       | NETWORKS: \"all\" and \"none\" stand alone",
        "--socket=                    | SOCKET is empty",
        "--state-dir=                 | STATE_DIR is empty",
        "--docker-host=tcp://d:2375   | DOCKER_HOST=tcp://d:2375: only the socket of this host's own",
        "--docker-host=unix://x       | DOCKER_HOST=unix://x: only the socket of this host's own",
        "--reclaim-after=60           | RECLAIM_AFTER=60 is no time such as 60s, 5m or 1h",
        "--reclaim-after=0s           | RECLAIM_AFTER=0s is no time",
        "--reclaim-after=-5s          | RECLAIM_AFTER=-5s is no time",
        "--reclaim-after=1d           | RECLAIM_AFTER=1d is no time",
      })
  void whatCantBeMeantStopsTheStart(String flag, String text) {
    assertThatThrownBy(() -> config(Map.of(), ETCD, flag))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(text);
  }

  @Test
  void filesOfTlsAndUsersAreTakenIfTheyCanBeRead() throws IOException {
    Path file = Files.writeString(dir.resolve("secret"), "x");
    Config config =
        config(
            Map.of(),
            "--etcd-endpoints=https://etcd1:2379",
            "--etcd-cacert=" + file,
            "--etcd-user=root",
            "--etcd-password-file=" + file);
    assertThat(own(config).caCert()).contains(file);
    assertThat(own(config).passwordFile()).contains(file);
  }

  @Test
  void withoutAnEtcdOfTheUsersThisHostCarriesOneOrJoinsAnother() {
    assertThat(config(Map.of()).etcd()).isEqualTo(new EtcdChoice.Carried());
    assertThatThrownBy(() -> config(Map.of("JOIN", "secret")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("JOIN: it does not begin with flannelvlan-join-1.")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> config(Map.of("ETCD_USER", "root")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("ETCD_USER is set, but ETCD_ENDPOINTS is not");
  }

  private static EtcdSettings own(Config config) {
    assertThat(config.etcd()).isInstanceOf(EtcdChoice.Own.class);
    return ((EtcdChoice.Own) config.etcd()).settings();
  }

  private static Config config(Map<String, String> environment, String... flags) {
    return Config.of(Settings.of(List.of(flags), environment));
  }
}
