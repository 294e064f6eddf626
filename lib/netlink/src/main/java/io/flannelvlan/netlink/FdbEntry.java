package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;

/**
 * To which host a VXLAN device sends what is meant for a hardware address.
 *
 * @param link index of the VXLAN device
 * @param dst outer address of that host
 * @param permanent false for what the device has learnt from packets
 */
public record FdbEntry(int link, MacAddress mac, IpAddress dst, boolean permanent)
    implements Entry {

  /** An entry that never expires. */
  public static FdbEntry permanent(int link, MacAddress mac, IpAddress dst) {
    return new FdbEntry(link, mac, dst, true);
  }

  @Override
  public Request put() {
    return request("replace", Message.NEWNEIGH, Message.CREATE | Message.REPLACE);
  }

  @Override
  public Request add() {
    return request("add", Message.NEWNEIGH, Message.CREATE | Message.EXCL);
  }

  @Override
  public Request delete() {
    return request("del", Message.DELNEIGH, 0);
  }

  private Request request(String verb, int type, int flags) {
    return new Request(
        "bridge fdb " + verb + " " + this,
        type,
        Message.REQUEST | flags,
        NeighborCodec.write(this));
  }

  @Override
  public String toString() {
    return mac + " dev #" + link + " dst " + dst + " self " + (permanent ? "permanent" : "dynamic");
  }
}
