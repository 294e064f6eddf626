package io.flannelvlan.etcdserver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/**
 * A file for its owner alone (0600), replaced whole or not at all, also when the power is cut.
 *
 * <p>One that says the same already is left as it is: a disk that is full or read-only is in
 * nobody's way then.
 */
final class PrivateFile {

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private PrivateFile() {}

  static void write(Path file, String text) throws IOException {
    if (!says(file, text)) {
      replace(file, text);
    }
  }

  private static boolean says(Path file, String text) throws IOException {
    return Files.isRegularFile(file)
        && Files.getPosixFilePermissions(file).equals(OWNER_ONLY)
        && Arrays.equals(Files.readAllBytes(file), text.getBytes(StandardCharsets.UTF_8));
  }

  private static void replace(Path file, String text) throws IOException {
    Path draft = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(draft);
    try {
      make(draft, StandardCharsets.UTF_8.encode(text));
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Half a file is in the way of whoever has no room.
      try {
        Files.deleteIfExists(draft);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e instanceof FileSystemException ? e : new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static void make(Path file, ByteBuffer bytes) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(OWNER_ONLY))) {
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
  }
}
