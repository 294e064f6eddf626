package io.flannelvlan.netlink;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The filter table of legacy iptables. It tells nobody when it changes, as nftables does, so it is
 * asked: two system calls, no process.
 */
public final class LegacyFilterTable {

  /** Absent without the module. */
  private static final Path TABLES = Path.of("/proc/thread-self/net/ip_tables_names");

  private static final String NAME = "filter";

  /**
   * {@code struct ipt_getinfo {char name[32]; u32 valid_hooks, hook_entry[5], underflow[5],
   * num_entries, size;}}.
   */
  private static final int INFO_BYTES = 32 + 4 * (1 + 5 + 5 + 1 + 1);

  private LegacyFilterTable() {}

  /**
   * How many rules it has, how long they are and where its chains begin: something else once a rule
   * was added or removed; not once one was replaced by another of its length.
   *
   * @return empty if the calling thread's network namespace has no such table; asking makes none
   * @throws NetlinkException if the kernel does not tell
   */
  public static Optional<ByteBuffer> shape() {
    if (!exists()) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      Libc libc = new Libc(arena);
      int descriptor = libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM_CLOEXEC, 0);
      check(descriptor, "open a socket to ask for iptables' rules");
      try {
        MemorySegment info = arena.allocate(INFO_BYTES, 8);
        info.setString(0, NAME);
        MemorySegment length = arena.allocate(JAVA_INT);
        length.set(JAVA_INT, 0, INFO_BYTES);
        check(
            libc.option(descriptor, Libc.SOL_IP, Libc.IPT_SO_GET_INFO, info, length),
            "ask for the size of iptables-legacy's filter table");
        return Optional.of(ByteBuffer.wrap(info.toArray(JAVA_BYTE)));
      } finally {
        libc.close(descriptor);
      }
    }
  }

  private static boolean exists() {
    try {
      return Files.readString(TABLES).lines().anyMatch(NAME::equals);
    } catch (NoSuchFileException _) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void check(int result, String operation) {
    if (result < 0) {
      throw NetlinkException.of(operation, -result, "");
    }
  }
}
