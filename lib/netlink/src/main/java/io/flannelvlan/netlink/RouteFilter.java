package io.flannelvlan.netlink;

import io.flannelvlan.net.IpAddress.Family;
import java.util.OptionalInt;

/**
 * Which routes to list. The kernel filters where it can; what it sends too much is left out here.
 *
 * @param table e.g. {@link Route#MAIN}; empty: of all tables
 * @param protocol who made it
 * @param link outgoing link
 */
public record RouteFilter(
    Family family, OptionalInt table, OptionalInt protocol, OptionalInt link) {

  /** All routes of the family in all tables. */
  public static RouteFilter of(Family family) {
    return new RouteFilter(family, OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());
  }

  /** The routes of the table that everybody uses. */
  public static RouteFilter main(Family family) {
    return of(family).inTable(Route.MAIN);
  }

  public RouteFilter inTable(int number) {
    return new RouteFilter(family, OptionalInt.of(number), protocol, link);
  }

  public RouteFilter ofProtocol(int number) {
    return new RouteFilter(family, table, OptionalInt.of(number), link);
  }

  public RouteFilter through(int index) {
    return new RouteFilter(family, table, protocol, OptionalInt.of(index));
  }

  boolean matches(Route route) {
    return route.destination().base().family() == family
        && (table.isEmpty() || table.getAsInt() == route.table())
        && (protocol.isEmpty() || protocol.getAsInt() == route.protocol())
        && (link.isEmpty() || link.equals(route.link()));
  }
}
