package io.flannelvlan.etcdserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What etcd and this host prove themselves with, below one directory: the authority, and what it
 * has signed, as files for etcd and for its client. The authority counts, the files follow from it.
 */
final class Identity {

  private static final String AUTHORITY = "authority.p12";

  private final Path directory;

  Identity(Path directory) {
    this.directory = directory;
  }

  /** Where etcd finds its files. */
  static Path ofServer(Path directory) {
    return directory.resolve("server");
  }

  /** Where this host's client finds its own. */
  static Path ofClient(Path directory) {
    return directory.resolve("client");
  }

  /** Makes what is missing, and writes only what is not as it should be. */
  void keep() throws IOException {
    write(directory);
  }

  private static void write(Path directory) throws IOException {
    Authority authority = Authority.in(directory.resolve(AUTHORITY));
    authority.server().write(ofServer(directory));
    authority.client().write(ofClient(directory));
  }

  /**
   * Makes another one, of which nothing is in use yet: on a full disk it is this that fails, and
   * the one in use stays whole.
   */
  Path prepare() throws IOException {
    Path next = directory.resolve("next");
    delete(next);
    try {
      write(Files.createDirectory(next));
    } catch (IOException e) {
      delete(next);
      throw e;
    }
    return next;
  }

  /**
   * Puts the prepared one in its place. The authority goes first: should this be interrupted, the
   * files follow it at the next {@link #keep}.
   */
  void replaceBy(Path next) throws IOException {
    List<Path> files = new ArrayList<>(List.of(Path.of(AUTHORITY)));
    for (Path part : List.of(ofServer(Path.of("")), ofClient(Path.of("")))) {
      for (String file :
          List.of(Credentials.CA_FILE, Credentials.CERTIFICATE_FILE, Credentials.KEY_FILE)) {
        files.add(part.resolve(file));
      }
    }
    for (Path file : files) {
      Files.move(next.resolve(file), directory.resolve(file), StandardCopyOption.ATOMIC_MOVE);
    }
    delete(next);
  }

  private static void delete(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(tree)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : deepestFirst) {
      Files.delete(path);
    }
  }
}
