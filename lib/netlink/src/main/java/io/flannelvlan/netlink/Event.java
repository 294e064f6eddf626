package io.flannelvlan.netlink;

import java.util.OptionalInt;

/**
 * Something in the kernel has changed. Coarse on purpose: an event only says where to look again,
 * what stands there now is asked for.
 */
public sealed interface Event {

  /**
   * A link was made, changed, or deleted (or moved to another namespace).
   *
   * @param name its name at that time
   */
  record LinkChanged(String name, int index, boolean deleted) implements Event {}

  /** An address of a link came or went. */
  record AddressChanged(int link) implements Event {}

  /**
   * A route came or went.
   *
   * @param link its outgoing link; empty for blackholes and for routes with several hops
   */
  record RouteChanged(OptionalInt link) implements Event {}

  /** A neighbour or forwarding entry of a link came, went or changed its state. */
  record NeighborChanged(int link) implements Event {}

  /**
   * An IPv4 setting of a link was switched. Not of every setting does the kernel tell: of {@code
   * forwarding} yes, of {@code route_localnet} no.
   *
   * @param link empty for those of the whole host and of links to come
   */
  record SettingChanged(OptionalInt link) implements Event {}

  /** The rule set of nftables was changed, by us or by others. */
  record NftablesChanged() implements Event {}

  /** The kernel had more to say than fitted the queue, or said it oddly: anything may be new. */
  record Overrun() implements Event {}
}
