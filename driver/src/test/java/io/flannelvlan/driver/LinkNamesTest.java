package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Vni;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinkNamesTest {

  private static final String ID =
      "51f2a9c0d1b3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9";

  @Test
  void everyNameFitsTheKernelForEveryVni() {
    IntStream.iterate(1, vni -> vni <= Vni.MAX, vni -> vni + 997)
        .mapToObj(Vni::new)
        .forEach(vni -> {
          assertThat(LinkNames.vxlan(vni)).hasSizeBetween(1, 15).endsWith("." + vni);
          assertThat(LinkNames.bridge(vni)).hasSizeBetween(1, 15).endsWith("." + vni);
        });
    assertThat(LinkNames.vxlan(new Vni(2))).isEqualTo("flannel.2");
    assertThat(LinkNames.vxlan(new Vni(9_999_999))).isEqualTo("flannel.9999999");
    assertThat(LinkNames.vxlan(new Vni(10_000_000))).isEqualTo("flann.10000000");
    assertThat(LinkNames.vxlan(new Vni(Vni.MAX))).isEqualTo("flann.16777215");
    assertThat(LinkNames.bridge(new Vni(Vni.MAX))).isEqualTo("fvbr.16777215");
  }

  @Test
  void theEndsOfAnEndpointsPairCarryItsShortId() {
    assertThat(LinkNames.hostEnd(ID)).isEqualTo("fv51f2a9c0d1b3").hasSizeLessThanOrEqualTo(15);
    assertThat(LinkNames.sandboxEnd(ID)).isEqualTo("fc51f2a9c0d1b3");
    assertThat(LinkNames.hostEnd("51f2")).isEqualTo("fv51f2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "flannel.2",
        "flannel.3",
        "flann.16777215",
        "fvbr.3",
        "fv51f2a9c0d1b3",
        "fc51f2a9c0d1b3"
      })
  void aBridgeOfTheUsersMayNotHaveANameThatWeGiveToOthers(String name) {
    assertThat(LinkNames.isFreeForBridge(name, new Vni(2))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"fvbr.2", "br0", "flannel", "fv-blue", "fcbridge"})
  void otherNamesAreTheUsers(String name) {
    assertThat(LinkNames.isFreeForBridge(name, new Vni(2))).isTrue();
  }
}
