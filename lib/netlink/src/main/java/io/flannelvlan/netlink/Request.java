package io.flannelvlan.netlink;

import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.Name;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * One step to ask of the kernel, ready to be sent. It prints as the {@code ip} or {@code bridge}
 * command that would do the same; links that are known by index print as {@code #3}.
 *
 * <p>Requests on addresses, neighbours, forwarding entries and routes come from those values
 * ({@link Entry#put}, {@link Entry#add}, {@link Entry#delete}); those on links from here.
 */
public final class Request {

  private final String command;
  private final int type;
  private final int flags;
  private final ByteBuffer body;
  private final Optional<Request> followUp;

  Request(String command, int type, int flags, ByteBuffer body) {
    this(command, type, flags, body, Optional.empty());
  }

  private Request(
      String command, int type, int flags, ByteBuffer body, Optional<Request> followUp) {
    this.command = command;
    this.type = type;
    this.flags = flags;
    this.body = body;
    this.followUp = followUp;
  }

  /**
   * A new bridge. Fails with EEXIST if a link of that name exists.
   *
   * <p>Its MTU follows in the second message: given with the creation the kernel would not take it
   * for the user's word (BROPT_MTU_SET_BY_USER), and set the MTU anew by the ports whenever one
   * comes or goes.
   */
  public static Request addBridge(String name, List<LinkSetting> settings) {
    List<LinkSetting> now =
        settings.stream().filter(s -> s.partOfCreation() && !(s instanceof Mtu)).toList();
    return add(
        LinkCommands.addBridge(name, now),
        LinkCodec.bridge(name, now),
        name,
        settings.stream().filter(setting -> !now.contains(setting)).toList());
  }

  /** A new VXLAN device. Fails with EEXIST if the name, or the VNI on that underlay, is taken. */
  public static Request addVxlan(String name, Tunnel tunnel, List<LinkSetting> settings) {
    return add(
        LinkCommands.addVxlan(name, tunnel, settings),
        LinkCodec.vxlan(name, tunnel, settings),
        name,
        afterCreation(settings));
  }

  /**
   * A new veth pair. The peer must not be set up in here: while it is created it has no other end
   * yet, and the kernel answers ENOTCONN. It takes {@link LinkSetting.Mac} and {@link
   * LinkSetting.Mtu}.
   */
  public static Request addVeth(
      String name, List<LinkSetting> settings, String peer, List<LinkSetting> peerSettings) {
    return add(
        LinkCommands.addVeth(name, settings, peer, peerSettings),
        LinkCodec.veth(name, settings, peer, peerSettings),
        name,
        afterCreation(settings));
  }

  /** Changes a link; all settings travel in one message. */
  public static Request setLink(int index, List<LinkSetting> settings) {
    return new Request(
        LinkCommands.set("#" + index, settings),
        Message.NEWLINK,
        Message.REQUEST,
        LinkCodec.change(index, settings));
  }

  /** Deletes a link; of a veth, both ends. */
  public static Request deleteLink(int index) {
    return new Request(
        "ip link del dev #" + index, Message.DELLINK, Message.REQUEST, LinkCodec.select(index));
  }

  /**
   * Deletes all links of a group at once. The kernel waits for its readers once per request rather
   * than once per link: sixty veth pairs go in 90 ms instead of a second.
   *
   * @param group not 0, which is every link that was never put into one
   */
  public static Request deleteLinks(int group) {
    if (group == 0) {
      throw new IllegalArgumentException("group 0 holds every link of the host");
    }
    return new Request(
        "ip link del group " + group,
        Message.DELLINK,
        Message.REQUEST,
        LinkCodec.selectGroup(group));
  }

  /** Moves a link into another network namespace, which is open while this is sent. */
  public static Request moveLink(int index, Namespace namespace) {
    return new Request(
        "ip link set dev #" + index + " netns " + namespace,
        Message.NEWLINK,
        Message.REQUEST,
        LinkCodec.move(index, namespace.descriptor()));
  }

  /** The message to send. */
  Message message(int sequence) {
    return new Message(type, flags | Message.ACK, sequence, 0, body);
  }

  /** What is to be sent once this one succeeded, and only then. */
  Optional<Request> followUp() {
    return followUp;
  }

  /** The command that would do it. */
  @Override
  public String toString() {
    return command;
  }

  /**
   * The kernel ignores aliases and per-family settings while it creates a link, so they follow in a
   * second message, by name. That one must not be sent along with the first: had the creation
   * failed because another link has the name, it would change that one.
   */
  private static Request add(
      String command, ByteBuffer body, String name, List<LinkSetting> later) {
    int flags = Message.REQUEST | Message.CREATE | Message.EXCL;
    if (later.isEmpty()) {
      return new Request(command, Message.NEWLINK, flags, body);
    }
    Request followUp =
        new Request(
            LinkCommands.set(name, later),
            Message.NEWLINK,
            Message.REQUEST,
            LinkCodec.change(new Name(name), later));
    return new Request(
        command + " && " + followUp, Message.NEWLINK, flags, body, Optional.of(followUp));
  }

  private static List<LinkSetting> afterCreation(List<LinkSetting> settings) {
    return settings.stream().filter(setting -> !setting.partOfCreation()).toList();
  }
}
