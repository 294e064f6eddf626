package io.flannelvlan.dockerplugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketFileTest {

  @TempDir Path directory;

  private Path socket() {
    return directory.resolve("flannelvlan.sock");
  }

  private static PluginServer serve(Path socket) {
    return PluginServer.start(List.of(socket), Served.MANIFEST, Served.QUICK);
  }

  private static void assertServed(Path socket) throws IOException {
    assertThat(DockerdPeer.call(socket, "Plugin.Activate", "").status()).isEqualTo(200);
  }

  @Test
  void socketIsForItsOwnerOnlyAndSoIsADirectoryMadeForIt() throws IOException {
    Path socket = directory.resolve("run/docker/plugins/flannelvlan.sock");
    try (PluginServer _ = serve(socket)) {
      assertServed(socket);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
          .isEqualTo("rw-------");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
          .isEqualTo("rwx------");
      try (Stream<Path> files = Files.list(socket.getParent())) {
        assertThat(files.map(f -> f.getFileName().toString()))
            .containsExactlyInAnyOrder("flannelvlan.sock", ".flannelvlan.sock.lock");
      }
    }
    assertThat(socket).doesNotExist();
  }

  @Test
  void socketOfAKilledInstanceIsReplaced() throws IOException {
    leaveStaleSocket();
    try (PluginServer _ = serve(socket())) {
      assertServed(socket());
    }
    assertThat(socket()).doesNotExist();
  }

  private void leaveStaleSocket() throws IOException {
    bind().close();
    assertThat(socket()).exists();
  }

  private ServerSocketChannel bind() throws IOException {
    return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(socket()));
  }

  @Test
  void workshopOfAKilledInstanceIsNoObstacle() throws IOException {
    Path workshop = SocketFile.workshop(socket());
    Files.createDirectory(workshop);
    Files.createFile(workshop.resolve("s"));
    try (PluginServer _ = serve(socket())) {
      assertServed(socket());
      assertThat(workshop).doesNotExist();
    }
  }

  @Test
  void runningInstanceKeepsItsSocket() throws IOException {
    try (PluginServer _ = serve(socket())) {
      assertThatThrownBy(() -> serve(socket()))
          .isInstanceOf(Refused.class)
          .hasMessageContaining(socket().toString())
          .hasMessageContaining("another instance");
      assertServed(socket());
    }
  }

  @Test
  void anybodyElseWhoListensKeepsTheSocketToo() throws IOException {
    try (ServerSocketChannel _ = bind()) {
      assertThatThrownBy(() -> serve(socket()))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("another instance");
      assertThat(socket()).exists();
    }
  }

  @Test
  void fileThatIsNoSocketIsLeftAlone() throws IOException {
    Files.writeString(socket(), "precious");
    assertThatThrownBy(() -> serve(socket()))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("no socket");
    assertThat(socket()).hasContent("precious");
  }

  @Test
  void linkToASocketIsLeftAlone() throws IOException {
    Path link = directory.resolve("link.sock");
    leaveStaleSocket();
    Files.createSymbolicLink(link, socket());
    assertThatThrownBy(() -> serve(link)).isInstanceOf(Refused.class);
    assertThat(link).isSymbolicLink();
  }

  @Test
  void socketOfASuccessorOutlivesTheClose() throws IOException {
    PluginServer first = serve(socket());
    Files.delete(socket());
    try (ServerSocketChannel _ = bind()) {
      first.close();
      assertThat(socket()).exists();
    }
  }

  @Test
  void closeIsFineWhenSomebodyTookTheSocketAway() throws IOException {
    PluginServer server = serve(socket());
    Files.delete(socket());
    server.close();
    try (PluginServer _ = serve(socket())) {
      assertServed(socket());
    }
  }

  @Test
  void pathOf106BytesWorksAndOneMoreIsRefused() throws IOException {
    int fill = 106 - directory.toString().length() - "/".length();
    Path longest = directory.resolve("s".repeat(fill));
    try (PluginServer _ = serve(longest)) {
      assertServed(longest);
    }
    assertThatThrownBy(() -> serve(directory.resolve("s".repeat(fill + 1))))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("107 bytes")
        .hasMessageContaining("106");
  }

  @Test
  void placeThatCannotBeUsedIsRefusedByName() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> serve(file.resolve("flannelvlan.sock")))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(file.toString());
    assertThatThrownBy(() -> serve(Path.of("/"))).isInstanceOf(Refused.class);
  }
}
