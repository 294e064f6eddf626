package io.flannelvlan.dockerplugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The socket's place in the file system: ours alone from the claim to the release.
 *
 * <p>The server binds in a private directory beside it and the socket is moved into place when it
 * listens: dockerd never sees one that is not served or that others may open, and one left by a
 * killed instance is replaced in one step.
 */
final class SocketFile implements AutoCloseable {

  /** The kernel's {@code sun_path} holds 107 bytes and a zero (unix(7)); the JDK takes one less. */
  private static final int LONGEST = 106;

  private final Path path;
  private final Path workshop;
  private final FileChannel lock;
  private @Nullable Object inode;

  private SocketFile(Path path, Path workshop, FileChannel lock) {
    this.path = path;
    this.workshop = workshop;
    this.lock = lock;
  }

  /**
   * Takes the place, if nobody listens there.
   *
   * @throws Refused if somebody does, or if the place can't be used
   */
  static SocketFile claim(Path socket) {
    Path path = socket.toAbsolutePath();
    Path directory = path.getParent();
    if (directory == null) {
      throw new Refused("socket " + path + ": this is no place for a file");
    }
    Path workshop = workshop(path);
    checkLength(path);
    checkLength(workshop.resolve("s"));
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      FileChannel lock = lock(path);
      try {
        checkFree(path);
        remove(workshop);
        Files.createDirectory(
            workshop,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return new SocketFile(path, workshop, lock);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw new Refused("socket " + path + ": " + e, e);
    }
  }

  /**
   * The private directory of this socket and no other: whoever holds the socket's lock may remove
   * one that a killed instance left. A hash keeps it short, and dockerd looks for sockets in no
   * such directory.
   */
  static Path workshop(Path socket) {
    int name = socket.getFileName().toString().hashCode();
    return socket.resolveSibling(".fv" + Integer.toHexString(name));
  }

  /** Where to bind. */
  Path bindPath() {
    return workshop.resolve("s");
  }

  /** Moves the bound socket into its place, for its owner only. */
  void publish() throws IOException {
    Files.setPosixFilePermissions(bindPath(), PosixFilePermissions.fromString("rw-------"));
    inode = inode(bindPath());
    Files.move(bindPath(), path, StandardCopyOption.ATOMIC_MOVE);
    Files.delete(workshop);
  }

  /** Removes the socket, unless it is no longer this one, and gives the place up. */
  @Override
  public void close() {
    try (lock) {
      remove(workshop);
      // The number can't have been given to a successor's file yet: a bound socket keeps its inode,
      // and the server is still listening.
      if (inode != null && Objects.equals(inode, inode(path))) {
        Files.deleteIfExists(path);
      }
      inode = null;
    } catch (IOException e) {
      throw new UncheckedIOException("remove socket " + path, e);
    }
  }

  private static void checkLength(Path path) {
    int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > LONGEST) {
      throw new Refused(
          "socket path " + path + " has " + length + " bytes; at most " + LONGEST + " will do");
    }
  }

  /** Keeps out an instance that starts at the same moment; it is freed when a process ends. */
  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path.resolveSibling("." + path.getFileName() + ".lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (OverlappingFileLockException _) {
      // Held within this very process: the same answer.
    }
    channel.close();
    throw inUse(path);
  }

  private static Refused inUse(Path path) {
    return new Refused(
        "socket "
            + path
            + ": another instance is serving it; stop that one first, or choose another SOCKET");
  }

  private static void checkFree(Path path) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.readAttributes(path, "isOther", LinkOption.NOFOLLOW_LINKS).containsValue(true)) {
      throw new Refused("socket " + path + ": a file that is no socket is there; it is left alone");
    }
    try (SocketChannel _ = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      throw inUse(path);
    } catch (ConnectException _) {
      // Refused: nobody listens any more.
    }
  }

  private static @Nullable Object inode(Path path) throws IOException {
    try {
      return Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException _) {
      return null;
    }
  }

  private static void remove(Path workshop) throws IOException {
    Files.deleteIfExists(workshop.resolve("s"));
    Files.deleteIfExists(workshop);
  }
}
