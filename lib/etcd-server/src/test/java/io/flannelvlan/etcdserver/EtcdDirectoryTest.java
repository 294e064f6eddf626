package io.flannelvlan.etcdserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EtcdDirectoryTest {

  private static final Path PROGRAM = Path.of("/usr/bin/etcd");

  @TempDir private Path directory;
  private EtcdDirectory data;

  @BeforeEach
  void someData() throws IOException {
    data = EtcdDirectory.in(directory);
    Files.createDirectory(data.path());
  }

  private static EtcdVersion version(String text) {
    return EtcdVersion.parse(text).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "3.4.23, 3.5.16",
    "3.5.30, 3.5.16",
    "3.5.16, 3.5.30",
    "3.5, 3.5.30",
    "3.4.23, 3.10.1",
    "3.6.1, 4.0.0",
    "3.5.30, 3.6.0-rc.1"
  })
  void dataGoToTheSameReleaseAndToLaterOnes(String before, String now) throws IOException {
    data.note(version(before));
    data.giveTo(PROGRAM, version(now));
    assertThat(data.writer()).hasContent(now);
  }

  @ParameterizedTest
  @CsvSource({"3.5.30, 3.4.23", "3.5, 3.4.23", "3.10.1, 3.9.9", "4.0.0, 3.6.1"})
  void dataOfALaterReleaseAreRefusedWithBothNumbersAndTheCure(String before, String now)
      throws IOException {
    data.note(version(before));
    assertThatThrownBy(() -> data.giveTo(PROGRAM, version(now)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(data.path() + " were written by etcd " + before)
        .hasMessageContaining("/usr/bin/etcd is " + now)
        .hasMessageContaining("install etcd " + version(before).release() + " or later")
        .hasMessageContaining("move " + data.path() + " away");
    assertThat(data.writer()).hasContent(before);
  }

  @Test
  void noDataAreAnybodys() throws IOException {
    data.note(version("3.5.30"));
    Files.delete(data.path());
    data.giveTo(PROGRAM, version("3.4.23"));
    assertThat(data.writer()).hasContent("3.4.23");
  }

  @Test
  void whatEtcdSaysOfItselfIsRead() {
    assertThat(
            EtcdVersion.said("etcd Version: 3.4.23\nGit SHA: Not provided\nGo Version: go1.19.8"))
        .hasValue(new EtcdVersion(3, 4, "3.4.23"));
    assertThat(EtcdVersion.said("etcd Version: 3.6.0-rc.1\n")).map(EtcdVersion::minor).hasValue(6);
    assertThat(EtcdVersion.said("etcd: not found")).isEmpty();
    assertThat(EtcdVersion.parse("three")).isEmpty();
  }
}
