package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.KernelLink;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Mark;
import io.flannelvlan.net.Vni;
import java.util.Collection;
import java.util.Optional;

/**
 * Which bridge a VLAN gets on this host. One that the user names may be there already, by his hand,
 * and other VLANs may be on it.
 *
 * @param isUsers whether he made it: then it stays as it is, whatever becomes of the VLAN
 */
record BridgeChoice(String name, boolean isUsers) {

  /**
   * The bridge as it was chosen when the first network named it, or as it is chosen now.
   *
   * @param standing the VLANs of this host
   * @throws Refused if no VLAN can be on such a thing
   */
  static BridgeChoice of(
      Vni vni, NetworkOptions options, Collection<VlanLinks> standing, KernelState state) {
    String name = options.bridge().orElse(LinkNames.bridge(vni));
    if (!LinkNames.isFreeForBridge(name, vni)) {
      throw refusal(name, "is a name that flannelvlan gives to other links");
    }
    Optional<VlanLinks> onIt =
        standing.stream().filter(links -> links.bridge().equals(name)).findFirst();
    Optional<KernelLink> foreign = state.link(name).filter(link -> !Mark.isOurs(link));
    if (onIt.isPresent() || foreign.isEmpty() || name.equals(LinkNames.bridge(vni))) {
      return new BridgeChoice(name, onIt.map(VlanLinks::usersBridge).orElse(false));
    }
    return ofUsers(foreign.get());
  }

  private static BridgeChoice ofUsers(KernelLink link) {
    if (!(link.kind() instanceof KernelLink.Bridge)) {
      throw refusal(link.name(), "is a link of this host, and no bridge: choose another name");
    }
    if (LinkNames.isDockers(link.name())) {
      throw refusal(link.name(), "is a bridge of Docker's own: choose another name");
    }
    if (link.name().length() > Mark.LABELLED_NAME) {
      throw refusal(
          link.name(),
          "is a bridge of yours, whose name must not be longer than "
              + Mark.LABELLED_NAME
              + " characters: flannelvlan's addresses on it bear its name and three more");
    }
    return new BridgeChoice(link.name(), true);
  }

  private static Refused refusal(String name, String reason) {
    return new Refused("option bridge: \"" + name + "\" " + reason);
  }
}
