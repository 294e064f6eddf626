package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/** What people, and programs of ours, may ask of the daemon. Refusals are sentences for them. */
public interface AdminApi {

  /** All VLANs and what this host has of them, a line each. */
  String vlans();

  /**
   * Removes a VLAN's Docker network from all hosts, and the VLAN from etcd.
   *
   * @return what came of it
   * @throws Refused if it is in use, naming by whom
   */
  String remove(String vlan);

  /**
   * Gives something that runs a link in a VLAN.
   *
   * @return what it is called there, and its address
   * @throws Refused if it can't be
   */
  String attach(Attach attach);

  /**
   * Takes it away.
   *
   * @return what came of it
   * @throws Refused if it has none
   */
  String detach(String target, String vlan);

  /**
   * A wish for a link.
   *
   * @param target a Docker container's id or name, a process, or a network namespace's file
   * @param ifname the next free one if absent
   * @param address a free one if absent
   */
  record Attach(String target, String vlan, Optional<String> ifname, Optional<IpAddress> address) {}

  /**
   * One call of a CNI runtime, as our executable hands it on.
   *
   * @param call its variables and its configuration
   */
  CniAnswer cni(byte[] call);

  /**
   * What the executable prints, and how it ends.
   *
   * @param text JSON, or nothing
   */
  record CniAnswer(boolean ok, String text) {}
}
