package io.flannelvlan.driver.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which link carries the tunnels of a host with several ways out. */
class UnderlayTest {

  private static final IpAddress MAIN = IpAddress.parse("198.51.100.11");
  private static final IpAddress BACKUP = IpAddress.parse("203.0.113.11");

  private final Map<String, KernelLink> links = new HashMap<>();
  private final Set<LinkAddress> addresses = new HashSet<>();
  private final Set<KernelRoute> routes = new HashSet<>();

  UnderlayTest() {
    link("wlan0", BACKUP);
    link("eth9", MAIN);
    link("atun0", IpAddress.parse("192.0.2.11"));
    way("eth9", 100);
    way("wlan0", 600);
  }

  @Test
  void theDefaultRouteThatTheKernelTakesTellsTheUnderlay() {
    assertThat(Underlay.find("", state())).map(Underlay::link).contains("eth9");
    way("atun0", 50);
    assertThat(Underlay.find("", state())).map(Underlay::link).contains("atun0");
  }

  @Test
  void aVlanStaysWhenSomebodysTunnelGetsTheDefaultRoute() {
    way("atun0", 50);
    assertThat(follow("eth9", "eth9", MAIN)).contains("eth9");
  }

  @Test
  void aVlanGoesToTheBackupAndComesBack() {
    routes.removeIf(route -> route.link().equals("eth9"));
    assertThat(follow("eth9", "eth9", MAIN)).contains("wlan0");
    assertThat(follow("eth9", "wlan0", BACKUP)).contains("wlan0");
    way("eth9", 100);
    assertThat(follow("eth9", "wlan0", BACKUP)).contains("eth9");
  }

  @Test
  void aVlanWhoseHomeIsGoneStaysWhereItWent() {
    routes.removeIf(route -> route.link().equals("eth9"));
    way("atun0", 50);
    assertThat(follow("eth9", "wlan0", BACKUP)).contains("wlan0");
  }

  @Test
  void aHostWithoutAnyWayHasNoUnderlay() {
    routes.clear();
    assertThat(Underlay.find("", state())).isEmpty();
    assertThat(follow("eth9", "eth9", MAIN)).isEmpty();
  }

  private Optional<String> follow(String home, String now, IpAddress address) {
    return Underlay.follow("", List.of(home, now), address, state()).map(Underlay::link);
  }

  private void link(String name, IpAddress address) {
    links.put(
        name,
        new KernelLink(
            name, new KernelLink.Other(""), Optional.empty(), 1500, true, Optional.empty(), ""));
    addresses.add(new LinkAddress(name, new InterfaceAddress(address, 24)));
  }

  private void way(String link, int metric) {
    routes.add(new KernelRoute(Cidr.parse("0.0.0.0/0"), Optional.empty(), link, false, 3, metric));
  }

  private KernelState state() {
    return new KernelState(links, addresses, Set.of(), Set.of(), routes, Set.of());
  }
}
