package io.flannelvlan.etcdserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JoinLineTest {

  private static final URI ENDPOINT = URI.create("https://192.0.2.7:23790");
  private static Credentials credentials;

  @TempDir private static Path shared;
  @TempDir private Path directory;

  @BeforeAll
  static void make() throws Exception {
    credentials = Authority.in(shared.resolve("authority.p12")).client();
  }

  @Test
  void aLineReadAgainIsTheSame() throws Exception {
    String line = new JoinLine(ENDPOINT, credentials).toString();
    assertThat(line).startsWith("flannelvlan-join-1.").doesNotContainAnyWhitespaces();
    assertThat(line.length()).isLessThan(2500);
    JoinLine read = JoinLine.parse(line);
    assertThat(read).hasToString(line);
    assertThat(read.endpoint()).isEqualTo(ENDPOINT);
    assertThat(read.settings(directory).endpoints()).containsExactly(ENDPOINT);
    assertThat(Credentials.read(directory)).isEqualTo(credentials);
    Path key = directory.resolve("client-key.pem");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
        .isEqualTo("rw-------");
  }

  @Test
  void aLineThatIsCutAnywhereSaysSo() {
    String line = new JoinLine(ENDPOINT, credentials).toString();
    for (int length = "flannelvlan-join-1.".length(); length < line.length(); length++) {
      String cut = line.substring(0, length);
      assertThatThrownBy(() -> JoinLine.parse(cut))
          .as("the first %d of %d characters", length, line.length())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("give the whole line of STATE_DIR/join");
    }
  }

  /** A few bits before the checksum, and behind it, belong to nothing. */
  @Test
  void aLineWithOneOtherLetterIsRefusedOrSaysTheSame() {
    String line = new JoinLine(ENDPOINT, credentials).toString();
    int begin = "flannelvlan-join-1.".length();
    int refused = 0;
    for (int i = begin; i < line.length(); i++) {
      char other = line.charAt(i) == 'A' ? 'B' : 'A';
      String changed = line.substring(0, i) + other + line.substring(i + 1);
      try {
        assertThat(JoinLine.parse(changed)).as("letter %d", i).hasToString(line);
      } catch (IllegalArgumentException _) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThanOrEqualTo(line.length() - begin - 3);
  }

  @Test
  void whatIsNoLineAtAllIsToldWhereOneIs() {
    for (String text : new String[] {"", "http://etcd1:2379", "flannelvlan-join-2.xyz"}) {
      assertThatThrownBy(() -> JoinLine.parse(text))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("give the line in STATE_DIR/join of another host");
    }
  }
}
