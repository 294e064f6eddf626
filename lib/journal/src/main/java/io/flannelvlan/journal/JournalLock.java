package io.flannelvlan.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a second process out of a state directory.
 *
 * <p>Where nothing can be written a file can't be locked for oneself alone (fcntl(2) wants it open
 * for writing). So the lock is shared then, which keeps out everybody who writes, and is made whole
 * before the first write.
 */
final class JournalLock implements AutoCloseable {

  private final Path path;
  private FileChannel channel;
  private boolean shared;

  private JournalLock(Path path, FileChannel channel, boolean shared) {
    this.path = path;
    this.channel = channel;
    this.shared = shared;
  }

  /**
   * Takes it.
   *
   * @throws JournalException if another process has it
   */
  static JournalLock take(Path path) throws IOException {
    JournalLock lock = open(path);
    try {
      if (lock.isTaken(lock.shared)) {
        return lock;
      }
      throw new JournalException(lock.refusal());
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static JournalLock open(Path path) throws IOException {
    try {
      return new JournalLock(path, writable(path), false);
    } catch (IOException e) {
      try {
        return new JournalLock(path, FileChannel.open(path, StandardOpenOption.READ), true);
      } catch (IOException _) {
        throw e;
      }
    }
  }

  private static FileChannel writable(Path path) throws IOException {
    return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /**
   * Before anything is written.
   *
   * @throws IOException if nothing can be, or another process was first
   */
  void makeWhole() throws IOException {
    if (shared) {
      FileChannel whole = writable(path);
      // To close any channel of a file gives back all of the process's locks on it: this one first.
      channel.close();
      channel = whole;
      if (!isTaken(false)) {
        throw new IOException(refusal());
      }
      shared = false;
    }
  }

  private boolean isTaken(boolean withOthers) throws IOException {
    try {
      return channel.tryLock(0, Long.MAX_VALUE, withOthers) != null;
    } catch (OverlappingFileLockException _) {
      return false; // held by this very process; the same answer
    }
  }

  private String refusal() {
    return path + " is locked: another flannelvlan works on this state directory";
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
