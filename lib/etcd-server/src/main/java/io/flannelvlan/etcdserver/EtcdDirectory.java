package io.flannelvlan.etcdserver;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What etcd keeps, and which etcd wrote it last: an older one must not touch them. It would end on
 * them with a stack trace, and not before it has opened and changed them.
 *
 * @param path etcd's own directory
 * @param writer a file beside it with the number of that etcd
 */
record EtcdDirectory(Path path, Path writer) {

  static EtcdDirectory in(Path directory) {
    return new EtcdDirectory(directory.resolve("data"), directory.resolve("version"));
  }

  /**
   * Before an etcd is started on them.
   *
   * @throws IOException if it is too old for them, saying what to do
   */
  void giveTo(Path program, EtcdVersion version) throws IOException {
    Optional<EtcdVersion> before = before();
    if (before.filter(version::isOlderThan).isPresent()) {
      EtcdVersion newer = before.get();
      throw new IOException(
          ("%s were written by etcd %s, and %s is %s, which can't read them; they are left as they"
                  + " are: install etcd %s or later, go back to the plugin or package that wrote"
                  + " them, or move %1$s away, and the hosts put back what they know")
              .formatted(path, newer, program, version, newer.release()));
    }
    if (before.filter(version::equals).isEmpty()) {
      note(version);
    }
  }

  /** That etcd has begun to write. */
  void note(EtcdVersion version) throws IOException {
    PrivateFile.write(writer, version + "\n");
  }

  private Optional<EtcdVersion> before() throws IOException {
    return Files.exists(path) && Files.exists(writer)
        ? EtcdVersion.parse(Files.readString(writer, StandardCharsets.UTF_8).strip())
        : Optional.empty();
  }
}
