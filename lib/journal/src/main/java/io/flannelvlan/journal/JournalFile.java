package io.flannelvlan.journal;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static java.util.regex.Pattern.MULTILINE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
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

  /** What a damaged journal still shows somewhere: a part of the header, or of a commit. */
  private static final Pattern TRACE =
      Pattern.compile("flannelvlan|journal 1$|^[0-9a-f]{8} |\\{\"(put|remove)\":", MULTILINE);

  /** How files are opened; a test's own refuses to write, as a disk may. */
  @FunctionalInterface
  interface Disk {
    FileChannel open(Path path, Set<? extends OpenOption> options) throws IOException;
  }

  private final Path path;
  private final Disk disk;
  private FileChannel channel;
  private long end;
  private boolean tailDirty;
  private boolean doubtful;
  private boolean ended;

  private JournalFile(Path path, Disk disk, FileChannel channel) {
    this.path = path;
    this.disk = disk;
    this.channel = channel;
  }

  static JournalFile open(Path path) throws IOException {
    return open(path, JournalFile::openForOwner);
  }

  /** One that is there and can't be written is read; the first commit writes a new one then. */
  static JournalFile open(Path path, Disk disk) throws IOException {
    try {
      return new JournalFile(path, disk, disk.open(path, Set.of(CREATE, READ, WRITE)));
    } catch (IOException e) {
      if (!Files.exists(path) || Files.size(path) < HEADER.length) {
        throw e;
      }
      JournalFile file = new JournalFile(path, disk, disk.open(path, Set.of(READ)));
      file.doubt();
      LOG.error("{}: {}. {}", path, e.getMessage(), Journal.ONLY_WHAT_RUNS);
      return file;
    }
  }

  private static FileChannel openForOwner(Path path, Set<? extends OpenOption> options)
      throws IOException {
    return FileChannel.open(
        path,
        options,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
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
   * @throws JournalException if it was never a journal
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
    if (damaged.contains(1) && commits.isEmpty() && isForeign(bytes)) {
      throw new JournalException(
          path
              + " is not a journal, and is left as it is: give another STATE_DIR, or move the file"
              + " away");
    }
    return new Contents(commits, damaged);
  }

  /**
   * Whether this is somebody's text, without a trace of a journal. What a disk did to a journal of
   * ours leaves traces of it, or is no text at all.
   */
  private static boolean isForeign(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    return text.chars().allMatch(c -> c >= ' ' || Character.isWhitespace(c))
        && !TRACE.matcher(text).find();
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
    requireOpen();
    cutTail();
    ByteBuffer line = ByteBuffer.wrap(JournalLine.encode(json));
    long position = end;
    tailDirty = true;
    try {
      while (line.hasRemaining()) {
        position += channel.write(line, position);
      }
    } catch (IOException e) {
      // An interrupt has closed it: for good, unless the next commit opens another.
      doubtful |= !channel.isOpen();
      cutBack(e);
      throw e;
    }
    try {
      channel.force(false);
    } catch (IOException e) {
      doubtful = true;
      cutBack(e);
      throw e;
    }
    tailDirty = false;
    end = position;
  }

  /** The line was not promised to anybody, and a start would take it for a commit. */
  private void cutBack(IOException why) {
    try {
      cutTail();
    } catch (IOException again) {
      why.addSuppressed(again); // tried again before the next commit
    }
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

  /**
   * Whether the disk may hold something else than it was told: after a failed force the kernel
   * takes what it could not write for written, and a second force would succeed without it. Only a
   * {@link #rewrite}, into other blocks, ends the doubt.
   */
  boolean isDoubtful() {
    return doubtful;
  }

  /** Memory is ahead of the file: no commit may follow before a {@link #rewrite}. */
  void doubt() {
    doubtful = true;
  }

  /** Replaces the whole file by this one commit, atomically. */
  void rewrite(byte[] json) throws IOException {
    requireOpen();
    Path fresh = path.resolveSibling(path.getFileName() + ".new");
    FileChannel next = disk.open(fresh, Set.of(CREATE, READ, WRITE, TRUNCATE_EXISTING));
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
    doubtful = false;
    forceDirectory();
  }

  /** Whoever is late must not write: the file may be another process's by now. */
  private void requireOpen() throws IOException {
    if (ended) {
      throw new IOException("it is closed");
    }
  }

  @Override
  public void close() throws IOException {
    ended = true;
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
