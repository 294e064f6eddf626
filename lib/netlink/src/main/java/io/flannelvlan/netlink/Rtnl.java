package io.flannelvlan.netlink;

import io.flannelvlan.netlink.LinkSetting.Name;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The kernel's links, addresses, neighbours, forwarding entries and routes in one network
 * namespace: list, put, delete.
 *
 * <p>Not thread-safe, and its calls block the OS thread: a platform thread of its own owns it.
 *
 * <p>Everything throws {@link NetlinkException} when the kernel refuses.
 */
public final class Rtnl implements AutoCloseable {

  private final NetlinkSocket socket;

  private Rtnl(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Opens a socket in the process' own namespace. */
  public static Rtnl open() {
    return new Rtnl(NetlinkSocket.open());
  }

  /** Opens a socket in the namespace with this file; callable from any thread. */
  public static Rtnl openIn(Path namespace) {
    return new Rtnl(NetlinkSocket.openIn(namespace));
  }

  /** Does one request. */
  public void run(Request request) {
    Reply reply = socket.batch(List.of(request)).getFirst();
    if (reply.failure().isPresent()) {
      throw reply.failure().get();
    }
  }

  /**
   * Does one request on something that may be gone already.
   *
   * @return false if it was
   */
  public boolean runUnlessAbsent(Request request) {
    Reply reply = socket.batch(List.of(request)).getFirst();
    Optional<NetlinkException> failure = reply.failure();
    if (failure.isPresent() && !failure.get().isAbsent()) {
      throw failure.get();
    }
    return failure.isEmpty();
  }

  /**
   * Does many requests with few system calls. They are no transaction: one that fails stops none of
   * the others, and nothing is undone.
   *
   * @return what became of each, in the same order
   */
  public List<Reply> batch(List<Request> requests) {
    return socket.batch(requests);
  }

  /** Adds or replaces an address, neighbour, forwarding entry or route. */
  public void put(Entry entry) {
    run(entry.put());
  }

  /**
   * Deletes an address, neighbour, forwarding entry or route.
   *
   * @return false if there was none
   */
  public boolean delete(Entry entry) {
    return runUnlessAbsent(entry.delete());
  }

  /** Makes a bridge. */
  public Link addBridge(String name, List<LinkSetting> settings) {
    return create(Request.addBridge(name, settings), name);
  }

  /** Makes a VXLAN device. */
  public Link addVxlan(String name, Tunnel tunnel, List<LinkSetting> settings) {
    return create(Request.addVxlan(name, tunnel, settings), name);
  }

  /** Makes a veth pair and returns its first end. */
  public Link addVeth(
      String name, List<LinkSetting> settings, String peer, List<LinkSetting> peerSettings) {
    return create(Request.addVeth(name, settings, peer, peerSettings), name);
  }

  private Link create(Request request, String name) {
    run(request);
    return link(name)
        .orElseThrow(() ->
            NetlinkException.of(
                request.toString(), Errno.ENODEV.number(), "it was deleted at once"));
  }

  /** Changes a link. */
  public void set(int link, List<LinkSetting> settings) {
    run(Request.setLink(link, settings));
  }

  /**
   * Deletes a link.
   *
   * @return false if there was none
   */
  public boolean deleteLink(int link) {
    return runUnlessAbsent(Request.deleteLink(link));
  }

  /** All links. */
  public List<Link> links() {
    return dumpLinks(LinkCodec.all());
  }

  /** The ports of a bridge. */
  public List<Link> ports(int bridge) {
    return dumpLinks(LinkCodec.ports(bridge)).stream()
        .filter(link -> link.master().orElse(0) == bridge)
        .toList();
  }

  private List<Link> dumpLinks(ByteBuffer question) {
    return socket.dump(Message.GETLINK, question, message -> Optional.of(LinkCodec.read(message)));
  }

  /** The link with this name, if there is one. */
  public Optional<Link> link(String name) {
    return link(LinkCodec.one(new Name(name)), "ip link show dev " + name);
  }

  /** The link with this index, if there is one. */
  public Optional<Link> link(int index) {
    return link(LinkCodec.one(index), "ip link show dev #" + index);
  }

  private Optional<Link> link(ByteBuffer question, String operation) {
    try {
      return Optional.of(LinkCodec.read(socket.get(Message.GETLINK, question, operation)));
    } catch (NetlinkException failure) {
      if (failure.isAbsent()) {
        return Optional.empty();
      }
      throw failure;
    }
  }

  /** The addresses of all links. */
  public List<Address> addresses() {
    return addresses(0);
  }

  /** The addresses of one link; none if there is no such link. */
  public List<Address> addresses(int link) {
    return dump(
        Message.GETADDR,
        AddressCodec.all(link),
        message ->
            Optional.of(AddressCodec.read(message))
                .filter(address -> link == 0 || address.link() == link));
  }

  /** The neighbours on all links, those that the kernel has learnt included. */
  public List<Neighbor> neighbors() {
    return neighbors(0);
  }

  /** The neighbours on one link; none if there is no such link. */
  public List<Neighbor> neighbors(int link) {
    return dump(
        Message.GETNEIGH,
        NeighborCodec.allNeighbors(link),
        message ->
            NeighborCodec.readNeighbor(message)
                .filter(neighbor -> link == 0 || neighbor.link() == link));
  }

  /** The forwarding entries of all tunnels. */
  public List<FdbEntry> fdb() {
    return fdb(0);
  }

  /** The forwarding entries of one VXLAN device; none if there is no such link. */
  public List<FdbEntry> fdb(int vxlan) {
    return dump(
        Message.GETNEIGH,
        NeighborCodec.allFdb(vxlan),
        message ->
            NeighborCodec.readFdb(message).filter(entry -> vxlan == 0 || entry.link() == vxlan));
  }

  /** Routes; none if the filter names a table or a link that does not exist. */
  public List<Route> routes(RouteFilter filter) {
    return dump(
        Message.GETROUTE,
        RouteCodec.all(filter),
        message -> RouteCodec.read(message).filter(filter::matches));
  }

  /** A dump whose filter may name something absent: then the list is empty. */
  private <T> List<T> dump(int type, ByteBuffer body, Function<Message, Optional<T>> decode) {
    try {
      return socket.dump(type, body, decode);
    } catch (NetlinkException failure) {
      if (failure.isAbsent()) {
        return List.of();
      }
      throw failure;
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
