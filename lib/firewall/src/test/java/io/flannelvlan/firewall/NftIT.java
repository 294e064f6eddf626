package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.IpAddress;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Our table in the kernel: put, compared, repaired, removed, and replaced under traffic. */
class NftIT {

  private static final Testbed bed = new Testbed();

  private static final PublishedPort PORT =
      new PublishedPort(
          Protocol.TCP, Optional.empty(), 8080, IpAddress.parse(Testbed.C1), 9100, "vlan002");

  private final Nft nft = new Nft();

  @BeforeEach
  void firewall() {
    bed.firewall(nft, PORT);
  }

  @AfterAll
  static void close() {
    bed.close();
  }

  @Test
  void equalRulesAreNotAppliedTwice() {
    assertThat(apply(Testbed.rules(PORT))).isFalse();
    assertThat(apply(Testbed.rules())).isTrue();
    assertThat(apply(Testbed.rules())).isFalse();
  }

  @Test
  void whatOthersChangedIsNoticedAndRepaired() {
    for (String[] change :
        new String[][] {
          {"flush", "chain", "inet", "flannelvlan", "forward"},
          {"delete", "element", "inet", "flannelvlan", "peers_2", "{", Testbed.H2, "}"},
          {"add", "rule", "inet", "flannelvlan", "input", "accept"},
          {"delete", "table", "inet", "flannelvlan"},
          {"flush", "ruleset"}
        }) {
      bed.run("h1", "", "nft", change);
      assertThat(isCurrent(Testbed.rules(PORT))).as(String.join(" ", change)).isFalse();
      assertThat(apply(Testbed.rules(PORT))).isTrue();
      assertThat(isCurrent(Testbed.rules(PORT))).isTrue();
    }
  }

  @Test
  void withoutVlansNothingStays() {
    assertThat(apply(FirewallRules.NONE)).isTrue();
    assertThat(bed.run("h1", "", "nft", "list", "tables")).doesNotContain("flannelvlan");
    assertThat(isCurrent(FirewallRules.NONE)).isTrue();
    assertThat(bed.namespace("h1").in(nft::remove)).isFalse();
  }

  @Test
  void refusalCarriesNftsWordsAndChangesNothing() {
    String before = table();
    assertThatThrownBy(() ->
            bed.namespace("h1")
                .in(() -> {
                  Nft.run("replace", NftTable.deletion() + "table inet x { nonsense }\n");
                  return true;
                }))
        .isInstanceOf(FirewallException.class)
        .hasMessageContaining("replace table inet flannelvlan")
        .hasMessageContaining(":3:16-23: Error: syntax error, unexpected string")
        .hasMessageContaining("table inet x { nonsense }");
    assertThat(table()).isEqualTo(before);
  }

  @Test
  void runningStreamsLoseNothingInAHundredReplacements() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    long lostBefore = retransmitted();
    try (ServerSocket published = bed.namespace("c1").in(() -> new ServerSocket(9100));
        ServerSocket remote = bed.namespace("d").in(() -> new ServerSocket(9100));
        ServerSocket outside = bed.namespace("out").in(() -> new ServerSocket(9100))) {
      List.of(published, remote, outside).forEach(NftIT::echo);
      List<FutureTask<Long>> streams =
          List.of(
              stream("out", Testbed.H1, 8080, stop), // destination NAT
              stream("c1", Testbed.D, 9100, stop), // within the VLAN
              stream("a1", Testbed.OUT, 9100, stop)); // masqueraded
      assertThat(replacements()).isEqualTo(100);
      stop.set(true);
      for (FutureTask<Long> stream : streams) {
        assertThat(Netns.result(stream)).as("answers").isGreaterThan(100);
      }
    }
    assertThat(retransmitted()).as("segments sent again").isEqualTo(lostBefore);
  }

  private int replacements() {
    int changed = 0;
    for (int i = 0; i < 100; i++) {
      changed += apply(i % 2 == 0 ? Testbed.rules() : Testbed.rules(PORT)) ? 1 : 0;
    }
    return changed;
  }

  /** Sends one number after the other and waits for each to come back; how many did. */
  private static FutureTask<Long> stream(String from, String to, int port, AtomicBoolean stop) {
    return bed.namespace(from)
        .start(() -> {
          try (Socket socket = new Socket(InetAddress.ofLiteral(to), port)) {
            socket.setTcpNoDelay(true);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            long count = 0;
            while (!stop.get()) {
              out.writeLong(++count);
              assertThat(in.readLong()).isEqualTo(count);
            }
            return count;
          }
        });
  }

  private static void echo(ServerSocket server) {
    Thread.ofPlatform()
        .daemon(true)
        .start(() -> {
          try (Socket client = server.accept()) {
            client.setTcpNoDelay(true);
            client.getInputStream().transferTo(client.getOutputStream());
          } catch (IOException failure) {
            throw new UncheckedIOException(failure);
          }
        });
  }

  /** By all who take part; the kernel counts for each namespace. */
  private static long retransmitted() {
    long sum = 0;
    for (String node : List.of("c1", "d", "a1", "out")) {
      List<String> tcp =
          bed
              .namespace(node)
              .in(() -> Files.readAllLines(Path.of("/proc/thread-self/net/snmp")))
              .stream()
              .filter(line -> line.startsWith("Tcp:"))
              .toList();
      int column = List.of(tcp.get(0).split(" ", -1)).indexOf("RetransSegs");
      sum += Long.parseLong(tcp.get(1).split(" ", -1)[column]);
    }
    return sum;
  }

  private boolean apply(FirewallRules rules) {
    return bed.namespace("h1").in(() -> nft.apply(rules));
  }

  private boolean isCurrent(FirewallRules rules) {
    return bed.namespace("h1").in(() -> nft.isCurrent(rules));
  }

  private static String table() {
    return bed.run("h1", "", "nft", "list", "table", "inet", "flannelvlan");
  }
}
