package io.flannelvlan.journal;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file below a {@link Journal}: a header line, then one checked line per commit.
 *
 * <p>Only the last line may be torn, because each is forced to disk before the next is written; a
 * torn one was never acknowledged and is cut off. A damaged line anywhere else means that the disk
 * lost what it had promised; the lines around it are still good, each by its own checksum. Not
 * thread-safe.
 */
final class JournalFile implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(JournalFile.class);
  private static final byte[] HEADER =
      "flannelvlan journal 1\n".getBytes(StandardCharsets.US_ASCII);

  private final Path path;
  private FileChannel channel;
  private long end;
  private boolean tailDirty;

  private JournalFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  static JournalFile open(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path,
            java.util.Set.of(CREATE, READ, WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    return new JournalFile(path, channel);
  }

  /**
   * What the file holds.
   *
   * @param commits JSON in order
   * @param damaged the numbers of lines that are lost, the header being line 1
   */
  record Contents(List<String> commits, List<Integer> damaged) {}

  /**
   * Reads all. Cuts a torn tail, writes the header of a new file.
   *
   * @throws JournalException if nothing in it looks like a journal
   */
  Contents read() throws IOException {
    byte[] bytes = Files.readAllBytes(path);
    if (bytes.length < HEADER.length && startsWith(HEADER, bytes)) {
      start();
      return new Contents(List.of(), List.of());
    }
    List<String> commits = new ArrayList<>();
    List<Integer> damaged = new ArrayList<>();
    int from =
        startsWith(bytes, HEADER) ? HEADER.length : Math.min(bytes.length, feed(bytes, 0) + 1);
    if (!startsWith(bytes, HEADER)) {
      damaged.add(1);
    }
    end = from;
    for (int number = 2; from < bytes.length; number++) {
      int feed = feed(bytes, from);
      Optional<String> json =
          feed < bytes.length
              ? JournalLine.decode(Arrays.copyOfRange(bytes, from, feed))
              : Optional.empty();
      if (json.isPresent()) {
        commits.add(json.get());
        end = feed + 1L;
      } else if (feed < bytes.length) {
        // A last line that is complete was promised, unless a crash wrote its pages out of order.
        damaged.add(number);
      } else {
        LOG.warn(
            "{}: cut off {} bytes of a commit that a crash had interrupted",
            path,
            bytes.length - from);
        tailDirty = true;
      }
      from = feed + 1;
    }
    if (damaged.contains(1) && commits.isEmpty()) {
      throw new JournalException(
          path
              + " is not a journal, and is left as it is: give another STATE_DIR, or move the file"
              + " away");
    }
    return new Contents(commits, damaged);
  }

  private void start() throws IOException {
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(HEADER), 0);
    channel.force(true);
    forceDirectory();
    end = HEADER.length;
  }

  /**
   * Appends one commit and forces it to disk; on failure the file is as it was before.
   *
   * <p>A line that was written whole and could not be forced must go: it was not promised to
   * anybody, and a start would take it for a commit.
   */
  void append(byte[] json) throws IOException {
    cutTail();
    ByteBuffer line = ByteBuffer.wrap(JournalLine.encode(json));
    long position = end;
    tailDirty = true;
    try {
      while (line.hasRemaining()) {
        position += channel.write(line, position);
      }
      channel.force(false);
    } catch (IOException e) {
      try {
        cutTail();
      } catch (IOException again) {
        e.addSuppressed(again); // tried again before the next commit
      }
      throw e;
    }
    tailDirty = false;
    end = position;
  }

  private void cutTail() throws IOException {
    if (tailDirty) {
      channel.truncate(end);
      tailDirty = false;
    }
  }

  /** A copy beside it, for whoever wants to look at the damage. */
  void copyTo(Path aside) throws IOException {
    Files.copy(path, aside);
  }

  /** Replaces the whole file by this one commit, atomically. */
  void rewrite(byte[] json) throws IOException {
    Path fresh = path.resolveSibling(path.getFileName() + ".new");
    FileChannel next =
        FileChannel.open(
            fresh,
            java.util.Set.of(CREATE, READ, WRITE, TRUNCATE_EXISTING),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      ByteBuffer all =
          ByteBuffer.allocate(HEADER.length + json.length + 10)
              .put(HEADER)
              .put(JournalLine.encode(json))
              .flip();
      while (all.hasRemaining()) {
        next.write(all);
      }
      next.force(true);
      Files.move(fresh, path, ATOMIC_MOVE);
    } catch (IOException | RuntimeException e) {
      next.close();
      Files.deleteIfExists(fresh);
      throw e;
    }
    channel.close();
    channel = next;
    end = next.size();
    tailDirty = false;
    forceDirectory();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void forceDirectory() throws IOException {
    try (FileChannel directory = FileChannel.open(path.toAbsolutePath().getParent(), READ)) {
      directory.force(true);
    }
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
  }

  /** Where the line ends that begins here. */
  private static int feed(byte[] bytes, int from) {
    int i = from;
    while (i < bytes.length && bytes[i] != '\n') {
      i++;
    }
    return i;
  }
}
