package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlannelJsonTest {

  private static final String KEY = "/coreos.com/network/vlan002/config";

  /** What stock flanneld v0.28.9 wrote and read (flannel-recorded.md, section 3). */
  private static final String RECORDED_CONFIG =
      """
      {"Network":"10.2.0.0/16","Backend":{"Type":"vxlan","VNI":2}}\
      """;

  private static final String RECORDED_LEASE =
      """
      {"PublicIP":"198.51.100.11","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":2,"VtepMAC":"5e:f6:85:9e:7c:cf"}}\
      """;

  @Test
  void theRecordedConfigIsReadWithFlannelsDefaultsAndWrittenTheSame() {
    NetworkConfig config = read(RECORDED_CONFIG);

    assertThat(config).isEqualTo(NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(2)));
    assertThat(config.layout()).isEqualTo(layout("10.2.0.0/16", 24, "10.2.1.0", "10.2.255.0"));
    assertThat(config.backend())
        .isEqualTo(new Vxlan(new Vni(2), 8472, OptionalInt.empty(), false, false, false));
    assertThat(FlannelJson.write(config)).isEqualTo(RECORDED_CONFIG);
  }

  @Test
  void theRecordedLeaseIsReadAndWrittenTheSame() {
    LeaseAttributes lease = FlannelJson.readLease("k", RECORDED_LEASE);

    assertThat(lease)
        .isEqualTo(
            LeaseAttributes.vxlan(
                IpAddress.parse("198.51.100.11"),
                new Vni(2),
                MacAddress.parse("5e:f6:85:9e:7c:cf")));
    assertThat(FlannelJson.write(lease)).isEqualTo(RECORDED_LEASE);
  }

  @Test
  void theSeedsConfigWithBlanksIsRead() {
    assertThat(
            read(
                "{ \"Network\": \"10.2.0.0/16\", \"Backend\": { \"Type\": \"vxlan\", \"VNI\": 2 } }"))
        .isEqualTo(read(RECORDED_CONFIG));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "Network":"10.2.0.0/16"                       | 10.2.0.0/16 | 24 | 10.2.1.0 | 10.2.255.0
          "network":"10.2.3.4/16"                       | 10.2.0.0/16 | 24 | 10.2.1.0 | 10.2.255.0
          "Network":"10.2.0.0/22"                       | 10.2.0.0/22 | 24 | 10.2.1.0 | 10.2.3.0
          "Network":"10.2.0.0/23"                       | 10.2.0.0/23 | 25 | 10.2.0.128 | 10.2.1.128
          "Network":"10.2.0.0/28"                       | 10.2.0.0/28 | 30 | 10.2.0.4 | 10.2.0.12
          "Network":"10.0.0.0/8","SubnetLen":20         | 10.0.0.0/8  | 20 | 10.0.16.0 | 10.255.240.0
          "Network":"10.2.0.0/16","SubnetLen":0         | 10.2.0.0/16 | 24 | 10.2.1.0 | 10.2.255.0
          "Network":"10.2.0.0/16","subnetlen":30        | 10.2.0.0/16 | 30 | 10.2.0.4 | 10.2.255.252
          "Network":"10.2.0.0/16","SubnetMin":"10.2.20.0","SubnetMax":"10.2.30.0" | 10.2.0.0/16 | 24 | 10.2.20.0 | 10.2.30.0
          "Network":"10.2.0.0/16","SubnetMin":"10.2.0.0" | 10.2.0.0/16 | 24 | 10.2.0.0 | 10.2.255.0
          "Network":"10.2.0.0/16","SubnetMin":"0.0.0.0","SubnetMax":null | 10.2.0.0/16 | 24 | 10.2.1.0 | 10.2.255.0
          "Network":"10.9.0.0/16","NETWORK":"10.2.0.0/16","Zone":{"a":1} | 10.2.0.0/16 | 24 | 10.2.1.0 | 10.2.255.0
          "EnableIPv4":true,"EnableIPv6":false,"Network":"10.2.0.0/16","IPv6Network":"fd00::/48" | 10.2.0.0/16 | 24 | 10.2.1.0 | 10.2.255.0
          """)
  void layoutsAndTheirDefaults(String members, String range, int len, String min, String max) {
    assertThat(read("{" + members + ",\"Backend\":{\"type\":\"VXLAN\",\"vni\":7}}").layout())
        .isEqualTo(layout(range, len, min, max));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "Backend":{"Type":"vxlan"}                                    | Network is missing
          "Network":"10.2.0.0"                                          | Network "10.2.0.0" is not a CIDR
          "Network":"10.2.0.0/33"                                       | Network "10.2.0.0/33" is not a CIDR
          "Network":"fd00::/48"                                         | Network fd00::/48 is not IPv4
          "Network":17                                                  | Network is not a string: 17
          "Network":"10.2.0.0/29"                                       | Network 10.2.0.0/29 is too small
          "Network":"10.2.0.0/16","SubnetLen":31                        | SubnetLen 31 is too long
          "Network":"10.2.0.0/16","SubnetLen":17                        | SubnetLen 17 is too short
          "Network":"10.2.0.0/29","SubnetLen":30                        | SubnetLen 30 is too short
          "Network":"10.2.0.0/16","SubnetLen":-1                        | SubnetLen -1 is negative
          "Network":"10.2.0.0/16","SubnetLen":"24"                      | SubnetLen is not a whole number: "24"
          "Network":"10.2.0.0/16","SubnetLen":24.0                      | SubnetLen is not a whole number: 24.0
          "Network":"10.2.0.0/16","SubnetMin":"10.3.0.0"                | SubnetMin 10.3.0.0 is not in Network 10.2.0.0/16
          "Network":"10.2.0.0/16","SubnetMax":"10.2.9.1"                | SubnetMax 10.2.9.1 is not the base of a /24 subnet
          "Network":"10.2.0.0/16","SubnetMin":"10.2.9.0","SubnetMax":"10.2.8.0" | SubnetMin 10.2.9.0 lies behind SubnetMax 10.2.8.0
          "Network":"10.2.0.0/16","SubnetMin":"x"                       | SubnetMin: "x" is not an IP address
          "Network":"10.2.0.0/16","EnableIPv6":true                     | EnableIPv6 is true
          "Network":"10.2.0.0/16","EnableIPv4":false                    | EnableIPv4 is false
          "Network":"10.2.0.0/16","Backend":null                        | Backend is missing, which flannel takes for udp
          "Network":"10.2.0.0/16","Backend":{}                          | Backend Type "" is not supported
          "Network":"10.2.0.0/16","Backend":{"Type":"host-gw"}          | Backend Type "host-gw" is not supported
          "Network":"10.2.0.0/16","Backend":{"Type":"vxlan","VNI":0}    | VNI 0 is outside
          "Network":"10.2.0.0/16","Backend":{"Type":"vxlan","VNI":16777216} | VNI 16777216 is outside
          "Network":"10.2.0.0/16","Backend":{"Type":"vxlan","VNI":"2"}  | VNI is not a whole number: "2"
          "Network":"10.2.0.0/16","Backend":{"Type":"vxlan","Port":70000} | Port 70000 is outside
          "Network":"10.2.0.0/16","Backend":{"Type":"vxlan","MTU":60}   | MTU 60 is outside
          "Network":"10.2.0.0/16","Backend":{"Type":"vxlan","GBP":1}    | GBP is neither true nor false: 1
          """)
  void whatFlannelRefusesIsRefusedNamingTheKeyAndTheFault(String members, String fault) {
    String backend =
        members.contains("Backend") ? "" : ",\"Backend\":{\"Type\":\"vxlan\",\"VNI\":2}";
    assertThatThrownBy(() -> read("{" + members + backend + "}"))
        .isInstanceOf(FlannelFormatException.class)
        .hasMessageStartingWith(KEY + ": ")
        .hasMessageContaining(fault);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "null", "[]", "7", "{", "not json", "{} {}", "{\"a\":1,}", "\ufffd"})
  void whatIsNoJsonObjectIsRefused(String value) {
    assertThatThrownBy(() -> read(value))
        .isInstanceOf(FlannelFormatException.class)
        .hasMessageStartingWith(KEY + ": not ");
    assertThatThrownBy(() -> FlannelJson.readLease("k", value))
        .isInstanceOf(FlannelFormatException.class);
  }

  @Test
  void deeplyNestedJsonIsRefusedAndDoesNoHarm() {
    assertThatThrownBy(() -> read("{\"a\":" + "[".repeat(100_000)))
        .isInstanceOf(FlannelFormatException.class);
  }

  @Test
  void aVxlansMembersAreReadAndWrittenWhereTheyDifferFromTheDefault() {
    String all =
        """
        {"Network":"10.2.0.0/16","SubnetLen":26,"SubnetMin":"10.2.4.0","SubnetMax":"10.2.8.0","Backend":{"Type":"vxlan","VNI":2,"Port":4789,"MTU":1400,"GBP":true,"Learning":true,"DirectRouting":true}}\
        """;

    assertThat(read(all).backend())
        .isEqualTo(new Vxlan(new Vni(2), 4789, OptionalInt.of(1400), true, true, true));
    assertThat(FlannelJson.write(read(all))).isEqualTo(all);
    assertThat(
            read(
                "{\"Network\":\"10.2.0.0/16\",\"Backend\":{\"Type\":\"vxlan\",\"Port\":0,\"MTU\":0}}"))
        .isEqualTo(NetworkConfig.of(Cidr.parse("10.2.0.0/16"), new Vni(1)));
  }

  @Test
  void randomConfigsSurviveTheRoundTrip() {
    Random random = new Random(3);
    for (int i = 0; i < 5000; i++) {
      NetworkConfig config = randomConfig(random);
      assertThat(read(FlannelJson.write(config))).isEqualTo(config);
    }
  }

  @Test
  void randomLeasesSurviveTheRoundTrip() {
    Random random = new Random(4);
    for (int i = 0; i < 5000; i++) {
      Optional<Vni> vni =
          random.nextBoolean()
              ? Optional.of(new Vni(1 + random.nextInt(Vni.MAX)))
              : Optional.empty();
      LeaseBackend backend =
          random.nextInt(4) == 0
              ? new LeaseBackend.Other("wireguard", "{\"PublicKey\":\"a\\\"b=\"}")
              : new LeaseBackend.VxlanVtep(vni, MacAddress.random(random));
      LeaseAttributes lease =
          new LeaseAttributes(
              IpAddress.ipv4(random.nextLong(1L << 32)),
              random.nextBoolean() ? Optional.of(IpAddress.parse("fd00::10")) : Optional.empty(),
              backend);
      assertThat(FlannelJson.readLease("k", FlannelJson.write(lease))).isEqualTo(lease);
    }
  }

  @Test
  void oldShapesOfLeasesAreRead() {
    MacAddress mac = MacAddress.parse("0e:2d:11:20:5a:01");
    assertThat(
            FlannelJson.readLease(
                "k",
                "{\"publicip\":\"10.0.0.1\",\"BackendType\":\"vxlan\",\"BackendData\":{\"vtepmac\":\"0E-2D-11-20-5A-01\"}}"))
        .isEqualTo(
            new LeaseAttributes(
                IpAddress.parse("10.0.0.1"),
                Optional.empty(),
                new LeaseBackend.VxlanVtep(Optional.empty(), mac)));
    assertThat(
            FlannelJson.readLease(
                    "k",
                    "{\"PublicIP\":\"10.0.0.1\",\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":0,\"VtepMAC\":\"0e2d.1120.5a01\"}}")
                .vtepMac())
        .contains(mac);
  }

  @Test
  void aReservationMadeByHandIsALeaseWithoutABackend() {
    LeaseAttributes lease = FlannelJson.readLease("k", "{\"PublicIP\":\"10.160.61.145\"}");

    assertThat(lease.backend()).isEqualTo(new LeaseBackend.Other("", ""));
    assertThat(FlannelJson.write(lease))
        .isEqualTo("{\"PublicIP\":\"10.160.61.145\",\"PublicIPv6\":null}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"BackendType":"vxlan"}                                               | PublicIP is missing
          {"PublicIP":"10.0.0"}                                                 | PublicIP: "10.0.0" is not an IP address
          {"PublicIP":"fd00::1"}                                                | PublicIP fd00::1 is not IPv4
          {"PublicIP":"10.0.0.1","BackendType":"vxlan"}                         | BackendData is missing
          {"PublicIP":"10.0.0.1","BackendType":"vxlan","BackendData":"x"}       | BackendData is not an object
          {"PublicIP":"10.0.0.1","BackendType":"vxlan","BackendData":{}}        | VtepMAC is missing
          {"PublicIP":"10.0.0.1","BackendType":"vxlan","BackendData":{"VtepMAC":"zz"}} | "zz" is not a MAC address
          """)
  void brokenLeasesAreRefusedNamingTheFault(String value, String fault) {
    assertThatThrownBy(() -> FlannelJson.readLease("/p/subnets/10.2.20.0-24", value))
        .isInstanceOf(FlannelFormatException.class)
        .hasMessageStartingWith("/p/subnets/10.2.20.0-24: ")
        .hasMessageContaining(fault);
  }

  private static NetworkConfig read(String value) {
    return FlannelJson.readConfig(KEY, value);
  }

  private static SubnetLayout layout(String range, int len, String min, String max) {
    return new SubnetLayout(Cidr.parse(range), len, IpAddress.parse(min), IpAddress.parse(max));
  }

  private static NetworkConfig randomConfig(Random random) {
    Cidr range = Cidr.around(IpAddress.ipv4(random.nextLong(1L << 32)), random.nextInt(4, 27));
    int len = random.nextInt(range.length() + 2, 31);
    SubnetLayout whole = SubnetLayout.of(range, len);
    long one = random.nextLong(whole.count());
    long other = random.nextLong(whole.count());
    long size = 1L << (32 - len);
    SubnetLayout layout =
        new SubnetLayout(
            range,
            len,
            whole.subnetMin().plus(Math.min(one, other) * size),
            whole.subnetMin().plus(Math.max(one, other) * size));
    Vxlan vxlan =
        new Vxlan(
            new Vni(1 + random.nextInt(Vni.MAX)),
            random.nextBoolean() ? Vxlan.DEFAULT_PORT : 1 + random.nextInt(65535),
            random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(random.nextInt(118, 9001)),
            random.nextBoolean(),
            random.nextBoolean(),
            random.nextBoolean());
    return new NetworkConfig(layout, vxlan);
  }
}
