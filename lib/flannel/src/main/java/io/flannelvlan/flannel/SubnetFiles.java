package io.flannelvlan.flannel;

import io.flannelvlan.net.InterfaceAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The directory with one {@link SubnetFile} for each VLAN, {@code vlan002.env}. Whoever reads one
 * sees the old or the new text, never a part. A file without our first line is somebody else's, as
 * a flanneld of the same network writes it, and stays as it is.
 */
public final class SubnetFiles {

  /** flannel's, from when one daemon served several networks. */
  public static final Path DIRECTORY = Path.of("/run/flannel/networks");

  static final String OURS = "# flannelvlan writes this file, and removes it\n";

  private static final String ENDING = ".env";

  /** Sorts out what a crash left between writing and renaming. */
  private static final String TEMPORARY = ".flannelvlan-";

  /** As flanneld's. */
  private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rw-r--r--");

  private static final FileAttribute<Set<PosixFilePermission>> DIRECTORY_MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"));

  private final Path directory;

  public SubnetFiles(Path directory) {
    this.directory = directory;
  }

  /** Where the VLAN's file is. */
  public Path of(String vlan) {
    return directory.resolve(vlan + ENDING);
  }

  /**
   * Writes the VLAN's file, unless it says so already.
   *
   * @return false if somebody else's is there
   * @throws IOException if it can't be written; what was there is there still
   */
  public boolean put(String vlan, SubnetFile file) throws IOException {
    String wanted = OURS + file.text();
    Optional<String> present = read(of(vlan));
    if (present.filter(text -> !text.startsWith(OURS)).isPresent()) {
      return false;
    }
    if (!present.equals(Optional.of(wanted))) {
      Files.createDirectories(directory, DIRECTORY_MODE);
      replace(of(vlan), wanted);
    }
    return true;
  }

  /** In the same directory, since only there a file can be renamed over another. */
  private void replace(Path file, String text) throws IOException {
    Path next = Files.createTempFile(directory, TEMPORARY, ENDING);
    try {
      Files.writeString(next, text);
      Files.setPosixFilePermissions(next, MODE);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new IOException(file + " can't be replaced: " + e.getReason(), e);
    } finally {
      Files.deleteIfExists(next);
    }
  }

  /**
   * Removes our files of all other VLANs, and what a crash left.
   *
   * @return the files that are gone
   */
  public List<Path> retain(Set<String> vlans) throws IOException {
    List<Path> gone = new ArrayList<>();
    if (!Files.isDirectory(directory)) {
      return gone;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + ENDING)) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        boolean stale =
            !vlans.contains(name.substring(0, name.length() - ENDING.length()))
                && read(file).filter(text -> text.startsWith(OURS)).isPresent();
        if ((stale || name.startsWith(TEMPORARY)) && Files.deleteIfExists(file)) {
          gone.add(file);
        }
      }
    }
    return gone;
  }

  /** The gateway that our file of the VLAN names; empty if there is none that says so. */
  public Optional<InterfaceAddress> subnetOf(String vlan) {
    try {
      return ours(of(vlan));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /** Whether one of our files names this gateway. */
  public boolean name(InterfaceAddress gateway) {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, "*" + ENDING)) {
      for (Path file : all) {
        if (ours(file).equals(Optional.of(gateway))) {
          return true;
        }
      }
      return false;
    } catch (IOException | DirectoryIteratorException _) {
      return false;
    }
  }

  private static Optional<InterfaceAddress> ours(Path file) throws IOException {
    return read(file).filter(text -> text.startsWith(OURS)).flatMap(SubnetFiles::subnet);
  }

  private static Optional<InterfaceAddress> subnet(String text) {
    String key = "FLANNEL_SUBNET=";
    try {
      return text.lines()
          .filter(line -> line.startsWith(key))
          .map(line -> InterfaceAddress.parse(line.substring(key.length())))
          .findFirst();
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static Optional<String> read(Path file) throws IOException {
    try {
      return Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }
}
