package io.flannelvlan.netlink;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A route.
 *
 * @param destination the default route is {@code 0.0.0.0/0} or {@code ::/0}
 * @param table {@link #MAIN}, {@link #LOCAL} or any other number
 * @param protocol who made it: {@link #KERNEL}, {@link #BOOT}, or an own mark
 * @param scope one of {@link Scope}
 * @param gateway empty for what is reached directly
 * @param link index of the outgoing link; empty for blackholes and for routes with several hops
 * @param onlink the gateway counts as reachable although no subnet of the link holds it
 * @param source preferred source address
 * @param metric lower wins; the kernel's default is 0 for IPv4 and 1024 for IPv6
 */
public record Route(
    Cidr destination,
    int table,
    int protocol,
    int scope,
    Type type,
    Optional<IpAddress> gateway,
    OptionalInt link,
    boolean onlink,
    Optional<IpAddress> source,
    int metric)
    implements Entry {

  public static final int MAIN = 254;
  public static final int LOCAL = 255;

  public static final int KERNEL = 2;
  public static final int BOOT = 3;
  public static final int STATIC = 4;

  /** {@code RTN_*} of {@code linux/rtnetlink.h}. */
  public enum Type {
    UNSPEC(0),
    UNICAST(1),
    LOCAL(2),
    BROADCAST(3),
    ANYCAST(4),
    MULTICAST(5),
    BLACKHOLE(6),
    UNREACHABLE(7),
    PROHIBIT(8),
    THROW(9),
    NAT(10),
    XRESOLVE(11);

    private final int number;

    Type(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }

    static Optional<Type> of(int number) {
      return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Through a gateway that is on the link whatever the link's subnets are: flannel's routes. */
  public static Route onlink(Cidr destination, IpAddress gateway, int link) {
    return through(destination, gateway, link, true);
  }

  /** Through a gateway in one of the link's subnets. */
  public static Route via(Cidr destination, IpAddress gateway, int link) {
    return through(destination, gateway, link, false);
  }

  private static Route through(Cidr destination, IpAddress gateway, int link, boolean onlink) {
    return new Route(
        destination,
        MAIN,
        BOOT,
        Scope.GLOBAL,
        Type.UNICAST,
        Optional.of(gateway),
        OptionalInt.of(link),
        onlink,
        Optional.empty(),
        defaultMetric(destination));
  }

  /** Directly on the link. */
  public static Route direct(Cidr destination, int link) {
    return new Route(
        destination,
        MAIN,
        BOOT,
        destination.base().isIpv4() ? Scope.LINK : Scope.GLOBAL,
        Type.UNICAST,
        Optional.empty(),
        OptionalInt.of(link),
        false,
        Optional.empty(),
        defaultMetric(destination));
  }

  /** The same route with another mark of who made it. */
  public Route withProtocol(int other) {
    return new Route(destination, table, other, scope, type, gateway, link, onlink, source, metric);
  }

  /** The same route in another table. */
  public Route withTable(int other) {
    return new Route(
        destination, other, protocol, scope, type, gateway, link, onlink, source, metric);
  }

  /** The same route with a preferred source address. */
  public Route withSource(IpAddress address) {
    return new Route(
        destination,
        table,
        protocol,
        scope,
        type,
        gateway,
        link,
        onlink,
        Optional.of(address),
        metric);
  }

  /** The same route with another metric. */
  public Route withMetric(int other) {
    return new Route(
        destination, table, protocol, scope, type, gateway, link, onlink, source, other);
  }

  /**
   * Adds the route or replaces the one with the same destination, metric and table: whoever made
   * that, so look before.
   */
  @Override
  public Request put() {
    return request("replace", Message.NEWROUTE, Message.CREATE | Message.REPLACE);
  }

  @Override
  public Request add() {
    return request("add", Message.NEWROUTE, Message.CREATE | Message.EXCL);
  }

  /** Deletes this very route: another one to the same destination with another mark stays. */
  @Override
  public Request delete() {
    return request("del", Message.DELROUTE, 0);
  }

  private Request request(String verb, int messageType, int flags) {
    String family = destination.base().isIpv4() ? "ip" : "ip -6";
    return new Request(
        family + " route " + verb + " " + this,
        messageType,
        Message.REQUEST | flags,
        RouteCodec.write(this));
  }

  private static int defaultMetric(Cidr destination) {
    return destination.base().isIpv4() ? 0 : 1024;
  }

  @Override
  public String toString() {
    StringBuilder words = new StringBuilder();
    if (type != Type.UNICAST) {
      words.append(type).append(' ');
    }
    words.append(destination);
    gateway.ifPresent(address -> words.append(" via ").append(address));
    link.ifPresent(index -> words.append(" dev #").append(index));
    if (table != MAIN) {
      words.append(" table ").append(table == LOCAL ? "local" : Integer.toString(table));
    }
    if (protocol != BOOT) {
      words.append(" proto ").append(protocolName());
    }
    if (scope != Scope.GLOBAL) {
      words.append(" scope ").append(Scope.name(scope));
    }
    source.ifPresent(address -> words.append(" src ").append(address));
    if (metric != 0) {
      words.append(" metric ").append(metric);
    }
    return words.append(onlink ? " onlink" : "").toString();
  }

  private String protocolName() {
    return switch (protocol) {
      case KERNEL -> "kernel";
      case STATIC -> "static";
      default -> Integer.toString(protocol);
    };
  }
}
