package io.flannelvlan.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "10.2.20.5",
        "255.255.255.255",
        "::",
        "::1",
        "fd00::1",
        "1::",
        "fd00:2:0:14::",
        "1:0:0:2::3",
        "2001:db8:1:1:1:1:0:1",
        "::ffff:a02:1405"
      })
  void addressesPrintAsTheyWereWritten(String text) {
    assertThat(IpAddress.parse(text)).hasToString(text);
    assertThat(IpAddress.of(IpAddress.parse(text).bytes())).isEqualTo(IpAddress.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.4 ",
        "a.b.c.d",
        "localhost",
        "1::2::3",
        ":",
        "fd00::g",
        "fe80::1%eth0",
        "-1.2.3.4",
        "1.2.3.٤"
      })
  void whatIsNoAddressIsRefused(String text) {
    assertThatThrownBy(() -> IpAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void ipv6TextReadsBackInTheJdk() throws Exception {
    Random random = new Random(1);
    for (int i = 0; i < 2_000; i++) {
      byte[] bytes = new byte[16];
      for (int b = 0; b < 16; b += 2) {
        if (random.nextBoolean()) {
          bytes[b + 1] = (byte) random.nextInt(3);
        }
      }
      bytes[0] = (byte) 0xfd;
      IpAddress address = IpAddress.of(bytes);
      assertThat(InetAddress.getByName(address.toString()).getAddress()).isEqualTo(bytes);
      assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
    }
  }

  @Test
  void additionCarriesAndStopsAtTheEnd() {
    assertThat(IpAddress.parse("10.2.255.255").plus(1)).hasToString("10.3.0.0");
    assertThat(IpAddress.parse("10.3.0.0").plus(-1)).hasToString("10.2.255.255");
    assertThat(IpAddress.parse("fd00::ffff:ffff:ffff:ffff").plus(1)).hasToString("fd00:0:0:1::");
    assertThat(IpAddress.parse("fd00:0:0:1::").plus(-1)).hasToString("fd00::ffff:ffff:ffff:ffff");
    assertThat(IpAddress.parse("10.2.1.0").minus(IpAddress.parse("10.2.0.0"))).isEqualTo(256);
    assertThatThrownBy(() -> IpAddress.parse("255.255.255.255").plus(1))
        .isInstanceOf(ArithmeticException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "10.2.0.0/16,10.2.20.0/24,true",
    "10.2.20.0/24,10.2.0.0/16,true",
    "10.2.0.0/16,10.3.0.0/16,false",
    "0.0.0.0/0,10.2.0.0/16,true",
    "10.2.0.0/16,fd00::/8,false",
    "fd00::/8,fd12::/16,true"
  })
  void rangesOverlapExactlyWhenOneHoldsTheOther(String a, String b, boolean overlap) {
    assertThat(Cidr.parse(a).overlaps(Cidr.parse(b))).isEqualTo(overlap);
    assertThat(Cidr.parse(b).overlaps(Cidr.parse(a))).isEqualTo(overlap);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.2.0.0",
        "10.2.0.0/",
        "10.2.0.0/33",
        "10.2.0.1/16",
        "/16",
        "x/16",
        "10.2.0.0/-1",
        "10.2.0.0/16/16",
        "fd00::/129",
        "10.2.0.0/+16"
      })
  void whatIsNoCidrIsRefused(String text) {
    assertThatThrownBy(() -> Cidr.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void hostBitsAreRefusedWithTheNetworkThatWasMeant() {
    assertThatThrownBy(() -> Cidr.parse("10.2.20.5/16")).hasMessageContaining("10.2.0.0/16");
  }

  @Test
  void aSubnetKnowsItsEnds() {
    Cidr subnet = Cidr.parse("10.2.20.0/24");
    assertThat(subnet.last()).hasToString("10.2.20.255");
    assertThat(subnet.next()).hasToString("10.2.21.0/24");
    assertThat(subnet.at(1)).hasToString("10.2.20.1/24");
    assertThat(subnet.size()).isEqualTo(256);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0a:58:0a:02:14:05", "0A-58-0A-02-14-05", "0a58.0a02.1405"})
  void allSpellingsOfAMacAreOne(String text) {
    assertThat(MacAddress.parse(text)).hasToString("0a:58:0a:02:14:05");
    assertThat(MacAddress.parse(text))
        .isEqualTo(MacAddress.ofEndpoint(IpAddress.parse("10.2.20.5")));
  }

  @Test
  void randomMacsAreLocalUnicast() {
    Random random = new Random(2);
    for (int i = 0; i < 1_000; i++) {
      MacAddress mac = MacAddress.random(random);
      assertThat(mac.bytes()[0] & 3).isEqualTo(2);
      assertThat(MacAddress.of(mac.bytes())).isEqualTo(mac);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "16777216", "2.0", "x", "", "99999999999"})
  void aVniOutsideItsBoundsIsRefused(String text) {
    assertThatThrownBy(() -> Vni.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
