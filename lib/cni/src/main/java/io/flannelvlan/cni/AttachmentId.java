package io.flannelvlan.cni;

/**
 * By which a runtime names what an ADD made: all links of one container in one network.
 *
 * @param network the name of the configuration
 * @param container the runtime's own id
 * @param ifname the name of the first link in the container
 */
public record AttachmentId(String network, String container, String ifname) {

  @Override
  public String toString() {
    return "container " + container + ", " + ifname + ", network " + network;
  }
}
