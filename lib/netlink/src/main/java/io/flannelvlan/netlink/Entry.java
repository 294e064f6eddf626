package io.flannelvlan.netlink;

/**
 * Something that the kernel keeps in a table and that is put there and taken away as a whole. It
 * prints as the words behind {@code ip address add}, {@code ip route add} and so on.
 */
public sealed interface Entry permits Address, Neighbor, FdbEntry, Route {

  /** Adds the entry, or replaces the one with the same key. */
  Request put();

  /** Adds the entry; EEXIST if there is one with the same key. */
  Request add();

  /** Deletes the entry; see {@link NetlinkException#isAbsent} if there is none. */
  Request delete();
}
