package io.flannelvlan.driver.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WaitsTest {

  private static final Change BRIDGE = new Change.AddLink("vlan002", bridge("fvbr.2"));
  private static final Change ADDRESS =
      new Change.AddAddress("vlan002", new LinkAddress("fvbr.2", Cidr.parse("10.2.20.0/24").at(1)));
  private static final Change OTHERS_ADDRESS =
      new Change.AddAddress("vlan003", new LinkAddress("fvbr.3", Cidr.parse("10.3.20.0/24").at(1)));
  private static final Change ENTRY =
      new Change.PutFdb(
          "vlan003", new LinkFdb("flannel.3", new MacAddress(3), IpAddress.parse("198.51.100.12")));
  private static final Change GONE = new Change.DeleteLink("vlan004", "fvbr.4");

  @Test
  void whereNothingKeepsVlansApartNoLinkComesAndWhatStandsIsPutRight() {
    List<Change> all = List.of(BRIDGE, ADDRESS, OTHERS_ADDRESS, ENTRY, GONE);
    assertThat(Waits.newLinks(all, _ -> false)).containsExactly(OTHERS_ADDRESS, ENTRY, GONE);
    assertThat(Waits.newLinks(all, "vlan002"::equals)).isEqualTo(all);
  }

  @Test
  void whereNoLinkComesTheOneThatItWouldReplaceStays() {
    Change replaced = new Change.DeleteLink("vlan002", "fvbr.2");
    assertThat(Waits.newLinks(List.of(replaced, BRIDGE, GONE), _ -> false)).containsExactly(GONE);
  }

  @Test
  void aDeletionThatMakesRoomIsNoChore() {
    Change replaced = new Change.DeleteLink("vlan002", "fvbr.2");
    assertThat(Waits.chores(List.of(replaced, BRIDGE, GONE))).containsExactly(replaced, BRIDGE);
  }

  @Test
  void onlyWhatIsWrongIsPutIntoWords() {
    Object silent =
        new Object() {
          @Override
          public String toString() {
            throw new AssertionError("nobody asked for it");
          }
        };
    assertThat(Plan.sorted(List.of(silent, "b", "a"), String.class::isInstance))
        .containsExactly("a", "b");
  }

  private static KernelLink bridge(String name) {
    return new KernelLink(
        name, new KernelLink.Bridge(), Optional.empty(), 1450, true, Optional.empty(), "");
  }
}
