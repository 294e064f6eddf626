package io.flannelvlan.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** Real files that fail when a test says so. */
final class StubbornDisk implements JournalFile.Disk {

  /** What the disk will not do. */
  enum Refusal {
    NOTHING,
    /** Half of what is written arrives, as on a full disk. */
    WRITE,
    /** All arrives in memory, and nothing says whether on the disk. */
    FORCE,
    /** As when the kernel has made the file system read-only. */
    EVERYTHING
  }

  Refusal refusal = Refusal.NOTHING;

  @Override
  public FileChannel open(Path path, Set<? extends OpenOption> options) throws IOException {
    if (refusal == Refusal.EVERYTHING && options.contains(StandardOpenOption.WRITE)) {
      throw new IOException("Read-only file system");
    }
    return new Channel(FileChannel.open(path, options));
  }

  private final class Channel extends FileChannel {
    private final FileChannel real;

    Channel(FileChannel real) {
      this.real = real;
    }

    @Override
    public int write(ByteBuffer bytes, long position) throws IOException {
      if (refusal == Refusal.WRITE) {
        ByteBuffer half = bytes.slice(bytes.position(), bytes.remaining() / 2);
        real.write(half, position);
        throw new IOException("No space left on device");
      }
      refuseOn(Refusal.EVERYTHING);
      return real.write(bytes, position);
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      int written = write(bytes, real.position());
      real.position(real.position() + written);
      return written;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      refuseOn(Refusal.EVERYTHING);
      if (refusal == Refusal.FORCE) {
        throw new IOException("Input/output error");
      }
      real.force(metaData);
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
      refuseOn(Refusal.EVERYTHING);
      real.truncate(size);
      return this;
    }

    private void refuseOn(Refusal such) throws IOException {
      if (refusal == such) {
        throw new IOException("Read-only file system");
      }
    }

    @Override
    public long size() throws IOException {
      return real.size();
    }

    @Override
    protected void implCloseChannel() throws IOException {
      real.close();
    }

    @Override
    public int read(ByteBuffer to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer to, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }
  }
}
