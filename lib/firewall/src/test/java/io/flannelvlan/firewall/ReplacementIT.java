package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.api.Test;

/** Our tables replaced a hundred times: streams that run meanwhile lose nothing. */
class ReplacementIT {

  private static final PublishedPort PORT =
      new PublishedPort(
          Protocol.TCP, Optional.empty(), 8080, IpAddress.parse(Testbed.C1), 9100, "vlan002");

  private final Nft nft = new Nft();

  @Test
  void onBridgesOfTheirOwn() throws Exception {
    try (Testbed bed = new Testbed()) {
      loseNothing(bed);
    }
  }

  @Test
  void onASharedBridge() throws Exception {
    try (Testbed bed = Testbed.sharing("br-tun1")) {
      loseNothing(bed);
    }
  }

  private void loseNothing(Testbed bed) throws Exception {
    bed.firewall(nft, PORT);
    AtomicBoolean stop = new AtomicBoolean();
    long lostBefore = retransmitted(bed);
    try (ServerSocket published = bed.namespace("c1").in(() -> new ServerSocket(9100));
        ServerSocket remote = bed.namespace("d").in(() -> new ServerSocket(9100));
        ServerSocket outside = bed.namespace("out").in(() -> new ServerSocket(9100))) {
      List.of(published, remote, outside).forEach(ReplacementIT::echo);
      List<FutureTask<Long>> streams =
          List.of(
              stream(bed, "out", Testbed.H1, 8080, stop), // destination NAT
              stream(bed, "c1", Testbed.D, 9100, stop), // within the VLAN
              stream(bed, "a1", Testbed.OUT, 9100, stop)); // masqueraded
      assertThat(replacements(bed)).isEqualTo(100);
      stop.set(true);
      for (FutureTask<Long> stream : streams) {
        assertThat(Netns.result(stream)).as("answers").isGreaterThan(100);
      }
    }
    assertThat(retransmitted(bed)).as("segments sent again").isEqualTo(lostBefore);
  }

  private int replacements(Testbed bed) {
    int changed = 0;
    for (int i = 0; i < 100; i++) {
      FirewallRules next = i % 2 == 0 ? bed.rulesOfH1() : bed.rulesOfH1(PORT);
      changed += bed.namespace("h1").in(() -> nft.apply(next)) ? 1 : 0;
    }
    return changed;
  }

  /** Sends one number after the other and waits for each to come back; how many did. */
  private static FutureTask<Long> stream(
      Testbed bed, String from, String to, int port, AtomicBoolean stop) {
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
  private static long retransmitted(Testbed bed) {
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
}
