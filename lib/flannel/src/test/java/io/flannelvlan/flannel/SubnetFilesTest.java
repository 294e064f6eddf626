package io.flannelvlan.flannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** flannel's files for the programs beside it, as they stand in a directory. */
class SubnetFilesTest {

  private static final SubnetFile FILE = file("10.2.200.1/24", 1450);

  @TempDir Path temporary;
  private Path directory;
  private SubnetFiles files;

  @BeforeEach
  void open() {
    directory = temporary.resolve("flannel").resolve("networks");
    files = new SubnetFiles(directory);
  }

  @Test
  void itReadsAsFlannelWritesItBehindOneComment() throws IOException {
    assertThat(files.put("vlan002", FILE)).isTrue();
    assertThat(Files.readString(directory.resolve("vlan002.env")))
        .isEqualTo(
            SubnetFiles.OURS
                + """
                FLANNEL_NETWORK=10.2.0.0/16
                FLANNEL_SUBNET=10.2.200.1/24
                FLANNEL_MTU=1450
                FLANNEL_IPMASQ=true
                """);
    assertThat(SubnetFiles.OURS).startsWith("#").doesNotContain("=");
    assertThat(mode(directory.resolve("vlan002.env"))).isEqualTo("rw-r--r--");
    assertThat(mode(directory)).isEqualTo("rwxr-xr-x");
    assertThat(files.subnetOf("vlan002")).contains(InterfaceAddress.parse("10.2.200.1/24"));
    assertThat(files.name(InterfaceAddress.parse("10.2.200.1/24"))).isTrue();
    assertThat(files.name(InterfaceAddress.parse("10.2.201.1/24"))).isFalse();
  }

  @Test
  void aShellThatSourcesItHasTheFourVariables() throws Exception {
    files.put("vlan002", FILE);
    Process shell =
        new ProcessBuilder(
                "sh",
                "-c",
                ". \"$0\" && echo $FLANNEL_NETWORK $FLANNEL_SUBNET $FLANNEL_MTU $FLANNEL_IPMASQ",
                files.of("vlan002").toString())
            .redirectErrorStream(true)
            .start();
    assertThat(new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("10.2.0.0/16 10.2.200.1/24 1450 true\n");
  }

  @Test
  void itIsOnlyWrittenWhenItChangesAndThenAsAnotherFile() throws IOException {
    files.put("vlan002", FILE);
    Object first = Files.getAttribute(files.of("vlan002"), "unix:ino");
    files.put("vlan002", FILE);
    assertThat(Files.getAttribute(files.of("vlan002"), "unix:ino")).isEqualTo(first);
    files.put("vlan002", file("10.2.201.1/24", 1450));
    assertThat(Files.getAttribute(files.of("vlan002"), "unix:ino")).isNotEqualTo(first);
    assertThat(names()).containsExactly("vlan002.env");
  }

  @Test
  void whoReadsWhileItChangesSeesOneTextOrTheOther() throws Exception {
    SubnetFile other = file("10.2.201.1/24", 9000);
    Set<String> texts = Set.of(SubnetFiles.OURS + FILE.text(), SubnetFiles.OURS + other.text());
    files.put("vlan002", FILE);
    AtomicBoolean over = new AtomicBoolean();
    AtomicBoolean torn = new AtomicBoolean();
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              while (!over.get()) {
                try {
                  torn.compareAndSet(false, !texts.contains(Files.readString(files.of("vlan002"))));
                } catch (IOException _) {
                  torn.set(true);
                }
              }
            });
    for (int i = 0; i < 500; i++) {
      files.put("vlan002", i % 2 == 0 ? other : FILE);
    }
    over.set(true);
    reader.join();
    assertThat(torn).isFalse();
  }

  @Test
  void filesOfOthersAreNeitherWrittenNorRemoved() throws IOException {
    Files.createDirectories(directory);
    Path foreign = Files.writeString(directory.resolve("vlan002.env"), FILE.text());
    assertThat(files.put("vlan002", file("10.2.201.1/24", 1450))).isFalse();
    assertThat(files.subnetOf("vlan002")).isEmpty();
    assertThat(files.retain(Set.of())).isEmpty();
    assertThat(Files.readString(foreign)).isEqualTo(FILE.text());
  }

  @Test
  void whatIsNotNamedAnyMoreAndWhatACrashLeftGoes() throws IOException {
    assertThat(files.retain(Set.of())).isEmpty();
    files.put("vlan001", FILE);
    files.put("vlan002", FILE);
    Path left = Files.writeString(directory.resolve(".flannelvlan-77.env"), "FLANNEL_NET");
    assertThat(files.retain(Set.of("vlan002")))
        .containsExactlyInAnyOrder(files.of("vlan001"), left);
    assertThat(names()).containsExactly("vlan002.env");
  }

  @Test
  void aPlaceThatCannotBeWrittenSaysSo() throws IOException {
    Files.writeString(temporary.resolve("flannel"), "in the way");
    assertThatThrownBy(() -> files.put("vlan002", FILE)).isInstanceOf(IOException.class);
    assertThat(files.subnetOf("vlan002")).isEmpty();
    assertThat(files.retain(Set.of())).isEmpty();
  }

  private List<String> names() throws IOException {
    try (var all = Files.list(directory)) {
      return all.map(file -> String.valueOf(file.getFileName())).toList();
    }
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private static SubnetFile file(String subnet, int mtu) {
    return new SubnetFile(
        Cidr.parse("10.2.0.0/16"), InterfaceAddress.parse(subnet), mtu, /* masquerade= */ true);
  }
}
