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
 * lost what it had promised, and stops the start. Not thread-safe.
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

  /** All commits' JSON in order. Cuts a torn tail, writes the header of a new file. */
  List<String> read() throws IOException {
    byte[] bytes = Files.readAllBytes(path);
    if (bytes.length < HEADER.length && startsWith(HEADER, bytes)) {
      return start();
    }
    if (!startsWith(bytes, HEADER)) {
      throw damaged(1, "its first line is not that of a journal");
    }
    List<String> commits = new ArrayList<>();
    int from = HEADER.length;
    end = from;
    while (from < bytes.length) {
      int feed = indexOf(bytes, from);
      Optional<String> json =
          feed < bytes.length
              ? JournalLine.decode(Arrays.copyOfRange(bytes, from, feed))
              : Optional.empty();
      if (json.isEmpty()) {
        if (feed + 1 < bytes.length) {
          throw damaged(commits.size() + 2, "its checksum does not match");
        }
        LOG.warn(
            "{}: cut off {} bytes of a commit that a crash had interrupted",
            path,
            bytes.length - from);
        tailDirty = true;
        break;
      }
      commits.add(json.get());
      from = feed + 1;
      end = from;
    }
    return commits;
  }

  private List<String> start() throws IOException {
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(HEADER), 0);
    channel.force(true);
    forceDirectory();
    end = HEADER.length;
    return List.of();
  }

  /** Appends one commit and forces it to disk; on failure the file is as it was before. */
  void append(byte[] json) throws IOException {
    if (tailDirty) {
      channel.truncate(end);
      tailDirty = false;
    }
    ByteBuffer line = ByteBuffer.wrap(JournalLine.encode(json));
    long position = end;
    tailDirty = true;
    while (line.hasRemaining()) {
      position += channel.write(line, position);
    }
    channel.force(false);
    tailDirty = false;
    end = position;
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

  private JournalException damaged(int line, String why) {
    return new JournalException(
        "journal "
            + path
            + " is damaged in line "
            + line
            + ": "
            + why
            + ". Nothing was changed. Move the file away to start from what etcd knows: mv "
            + path
            + " "
            + path
            + ".damaged");
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static int indexOf(byte[] bytes, int from) {
    int i = from;
    while (i < bytes.length && bytes[i] != '\n') {
      i++;
    }
    return i;
  }
}
