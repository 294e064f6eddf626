package io.flannelvlan.netlink;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The filter table of legacy iptables, told from others. It tells nobody when it changes, as
 * nftables does, so it is asked: a few system calls, no process.
 *
 * @param info how many rules it has, how long they are and where its chains begin
 * @param sum over all of its rules, but not what they have counted; 0 of a table longer than {@link
 *     #LONGEST_SUMMED}, which is told by {@code info} alone
 */
public record LegacyFilterTable(ByteBuffer info, long sum) {

  /** Some thousand rules: more than a host shall copy four times a second for our sake. */
  private static final int LONGEST_SUMMED = 1 << 20;

  /** Absent without the module. */
  private static final Path TABLES = Path.of("/proc/thread-self/net/ip_tables_names");

  private static final String NAME = "filter";
  private static final int NAME_BYTES = 32;

  /**
   * {@code struct ipt_getinfo {char name[32]; u32 valid_hooks, hook_entry[5], underflow[5],
   * num_entries, size;}}.
   */
  private static final int INFO_BYTES = NAME_BYTES + 4 * (1 + 5 + 5 + 1 + 1);

  private static final int SIZE = INFO_BYTES - 4;

  /** {@code struct ipt_get_entries {char name[32]; u32 size; struct ipt_entry first;}}. */
  private static final int ENTRIES = 40;

  /**
   * {@code struct ipt_entry {struct ipt_ip ip; u32 nfcache; u16 target_offset, next_offset; u32
   * comefrom; struct xt_counters counters; …}}, the first of 84 bytes.
   */
  private static final int NEXT_OFFSET = 90;

  private static final int COUNTERS = 96;
  private static final int AFTER_COUNTERS = 112;

  /**
   * As it is now.
   *
   * @return empty if the calling thread's network namespace has no such table; asking makes none
   * @throws NetlinkException if the kernel does not tell
   */
  public static Optional<LegacyFilterTable> read() {
    if (!exists()) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      Libc libc = new Libc(arena);
      int descriptor = libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM_CLOEXEC, 0);
      check(descriptor, "open a socket to ask for iptables' rules");
      try {
        MemorySegment info = arena.allocate(INFO_BYTES, 8);
        int asked = ask(libc, descriptor, Libc.IPT_SO_GET_INFO, info);
        check(asked, "ask for the size of iptables-legacy's filter table");
        int size = info.get(JAVA_INT, SIZE);
        long sum = size > LONGEST_SUMMED ? 0 : sum(libc, descriptor, arena, size);
        return Optional.of(new LegacyFilterTable(ByteBuffer.wrap(info.toArray(JAVA_BYTE)), sum));
      } finally {
        libc.close(descriptor);
      }
    }
  }

  private static long sum(Libc libc, int descriptor, Arena arena, int size) {
    MemorySegment all = arena.allocate(ENTRIES + (long) size, 8);
    all.set(JAVA_INT, NAME_BYTES, size);
    int asked = ask(libc, descriptor, Libc.IPT_SO_GET_ENTRIES, all);
    if (asked < 0 && Errno.of(-asked) == Errno.EAGAIN) {
      // It has another size by now: whatever it is, it is not what it will be next time.
      return -1;
    }
    check(asked, "ask for the rules of iptables-legacy's filter table");
    ByteBuffer rules = all.asSlice(ENTRIES).asByteBuffer().order(ByteOrder.nativeOrder());
    CRC32C sum = new CRC32C();
    for (int entry = 0; entry < size; ) {
      int next = Short.toUnsignedInt(rules.getShort(entry + NEXT_OFFSET));
      sum.update(rules.slice(entry, COUNTERS));
      sum.update(rules.slice(entry + AFTER_COUNTERS, next - AFTER_COUNTERS));
      entry += next;
    }
    return sum.getValue();
  }

  private static int ask(Libc libc, int descriptor, int option, MemorySegment about) {
    about.setString(0, NAME);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment length = arena.allocate(JAVA_INT);
      length.set(JAVA_INT, 0, (int) about.byteSize());
      return libc.option(descriptor, Libc.SOL_IP, option, about, length);
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
