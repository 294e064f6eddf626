package io.flannelvlan.dockerplugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.dockerplugin.DockerdPeer.Answer;
import io.flannelvlan.dockerplugin.PluginServer.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** From the first moment to the last: not ready, ready, failing, closing. */
class PluginServerTest {

  private static final String LEAVE =
      """
      {"NetworkID":"n1","EndpointID":"e1"}
      """;

  @Test
  void fixedVerbsAreAnsweredBeforeAnythingIsReady() throws IOException {
    try (Served served = Served.unready(Served.QUICK);
        DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      assertThat(peer.call("Plugin.Activate", "").text())
          .isEqualTo("{\"Implements\":[\"NetworkDriver\",\"IpamDriver\"]}");
      assertThat(peer.call("NetworkDriver.GetCapabilities", "").text())
          .isEqualTo(
              "{\"Scope\":\"local\",\"ConnectivityScope\":\"global\",\"GwAllocChecker\":false}");
      assertThat(peer.call("IpamDriver.GetCapabilities", "").text())
          .isEqualTo("{\"RequiresMACAddress\":false,\"RequiresRequestReplay\":false}");
      assertThat(peer.call("IpamDriver.GetDefaultAddressSpaces", "").text())
          .isEqualTo(
              "{\"LocalDefaultAddressSpace\":\"flannelvlan\","
                  + "\"GlobalDefaultAddressSpace\":\"flannelvlan\"}");
    }
  }

  @Test
  void otherVerbsFailClearlyIfTheyDoNotGetReadyInTime() throws IOException {
    try (Served served = Served.unready(Served.QUICK)) {
      Answer answer = DockerdPeer.call(served.socket, "NetworkDriver.Leave", LEAVE);
      assertThat(answer.status()).isEqualTo(500);
      assertThat(answer.error()).contains("still starting");
      assertThat(DockerdPeer.call(served.socket, "NetworkDriver.Leave", "{").status())
          .isEqualTo(400);
      assertThat(DockerdPeer.call(served.socket, "NetworkDriver.Nothing", "{}").status())
          .isEqualTo(404);
    }
  }

  @Test
  void callThatCameTooEarlyIsAnsweredOnceReady() throws Exception {
    Limits patient =
        new Limits(Duration.ofDays(1), Duration.ofSeconds(30), Duration.ofSeconds(5), 1 << 20);
    try (Served served = Served.unready(patient);
        DockerdPeer early = DockerdPeer.connect(served.socket)) {
      early.send(DockerdPeer.request("NetworkDriver.Leave", "Host: \r\n", LEAVE));
      // Another connection's answer shows that the server is at work meanwhile.
      assertThat(DockerdPeer.call(served.socket, "Plugin.Activate", "").status()).isEqualTo(200);
      served.server.ready(served.network, served.ipam);
      assertThat(early.receive().text()).isEqualTo("{}");
      assertThatThrownBy(() -> served.server.ready(served.network, served.ipam))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void refusalReachesTheUserAsItIs() throws IOException {
    try (Served served = Served.ready()) {
      String sentence = "VLAN vlan002: no address left\n  try \"docker network rm\" – really <&>";
      served.network.answers = _ -> refuse(sentence);
      served.ipam.answers = _ -> refuse(sentence);
      Answer network = DockerdPeer.call(served.socket, "NetworkDriver.Leave", LEAVE);
      assertThat(network.status()).isEqualTo(500);
      assertThat(network.error()).isEqualTo(sentence);
      Answer ipam = DockerdPeer.call(served.socket, "IpamDriver.ReleasePool", "{\"PoolID\":\"p\"}");
      assertThat(ipam.status()).isEqualTo(500);
      assertThat(ipam.error()).isEqualTo(sentence);
    }
  }

  private static Optional<?> refuse(String sentence) {
    throw new Refused(sentence, new IOException("the cause stays here"));
  }

  @Test
  void bugIsNamedWithoutItsStackAndTheServerGoesOn() throws IOException {
    try (Served served = Served.ready();
        DockerdPeer peer = DockerdPeer.connect(served.socket)) {
      served.network.answers =
          _ -> {
            throw new IllegalStateException("lost my marbles");
          };
      Answer bug = peer.call("NetworkDriver.Leave", LEAVE);
      assertThat(bug.status()).isEqualTo(500);
      assertThat(bug.error()).contains("internal error", "NetworkDriver.Leave", "lost my marbles");
      assertThat(bug.text()).doesNotContain(".java:", "\\tat ");
      served.network.answers = _ -> endless(1);
      assertThat(peer.call("NetworkDriver.Leave", LEAVE).error()).contains("StackOverflowError");
      served.network.answers = _ -> Optional.empty();
      assertThat(peer.call("NetworkDriver.Leave", LEAVE).status()).isEqualTo(200);
    }
  }

  @SuppressWarnings("InfiniteRecursion")
  private static Optional<?> endless(int depth) {
    return endless(depth + 1).isEmpty() ? Optional.empty() : endless(depth);
  }

  @Test
  void runningCallEndsBeforeTheServerDoes() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    try (Served served = Served.ready();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        DockerdPeer slow = DockerdPeer.connect(served.socket);
        DockerdPeer other = DockerdPeer.connect(served.socket)) {
      served.network.answers = _ -> waitFor(entered, mayEnd);
      slow.send(DockerdPeer.request("NetworkDriver.Leave", "Host: \r\n", LEAVE));
      entered.await();
      assertThat(other.call("Plugin.Activate", "").headers()).doesNotContainKey("Connection");
      Future<?> closing = threads.submit(served.server::close);
      while (Files.exists(served.socket)) {
        Thread.onSpinWait();
      }
      mayEnd.countDown();
      assertThat(slow.receive().text()).isEqualTo("{}");
      closing.get();
      assertThat(slow.isClosedByServer()).isTrue();
      assertThat(other.isClosedByServer()).isTrue();
    }
  }

  @Test
  void callsWhileStoppingAreAnsweredAndTheirConnectionClosed() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    try (Served served = Served.ready();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        DockerdPeer slow = DockerdPeer.connect(served.socket);
        DockerdPeer other = DockerdPeer.connect(served.socket)) {
      served.network.answers = _ -> waitFor(entered, mayEnd);
      slow.send(DockerdPeer.request("NetworkDriver.Leave", "Host: \r\n", LEAVE));
      entered.await();
      Future<?> closing = threads.submit(served.server::close);
      Answer answer = other.call("Plugin.Activate", "");
      while (!answer.headers().containsKey("Connection")) {
        answer = other.call("Plugin.Activate", "");
      }
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.headers()).containsEntry("Connection", "close");
      assertThat(other.isClosedByServer()).isTrue();
      mayEnd.countDown();
      assertThat(slow.receive().text()).isEqualTo("{}");
      closing.get();
    }
  }

  @Test
  void callThatNeverEndsIsCutOff() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    try (Served served = Served.ready(Served.QUICK);
        DockerdPeer slow = DockerdPeer.connect(served.socket)) {
      served.network.answers = _ -> waitFor(entered, mayEnd);
      slow.send(DockerdPeer.request("NetworkDriver.Leave", "Host: \r\n", LEAVE));
      entered.await();
      served.server.close();
      assertThat(slow.isClosedByServer()).isTrue();
    } finally {
      mayEnd.countDown();
    }
  }

  private static Optional<?> waitFor(CountDownLatch entered, CountDownLatch mayEnd) {
    entered.countDown();
    try {
      mayEnd.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return Optional.empty();
  }

  @Test
  void closedServerCanBeFollowedByAnother() throws IOException {
    try (Served served = Served.ready()) {
      served.server.close();
      assertThatThrownBy(() -> DockerdPeer.connect(served.socket)).isInstanceOf(IOException.class);
      try (PluginServer _ = PluginServer.start(List.of(served.socket), Served.MANIFEST)) {
        assertThat(DockerdPeer.call(served.socket, "Plugin.Activate", "").status()).isEqualTo(200);
      }
    }
  }

  @Test
  void everySocketIsServedAndNoneIsLeft() throws IOException {
    try (Served served = Served.ready()) {
      Path one = served.directory.resolve("one.sock");
      Path other = served.directory.resolve("other.sock");
      try (PluginServer _ = PluginServer.start(List.of(one, other), Served.MANIFEST)) {
        for (Path socket : List.of(one, other)) {
          assertThat(DockerdPeer.call(socket, "Plugin.Activate", "").status()).isEqualTo(200);
        }
      }
      assertThat(one).doesNotExist();
      assertThat(other).doesNotExist();
    }
  }

  @Test
  void aPlaceThatIsTakenLeavesNothingAtTheOthers() throws IOException {
    try (Served served = Served.ready()) {
      Path free = served.directory.resolve("free.sock");
      assertThatThrownBy(
              () -> PluginServer.start(List.of(free, served.socket), Served.MANIFEST).close())
          .isInstanceOf(Refused.class)
          .hasMessageContaining(served.socket + ": another instance is serving it");
      assertThat(free).doesNotExist();
      PluginServer.start(List.of(free), Served.MANIFEST).close();
    }
  }

  @Test
  void handlersRunOnVirtualThreads() throws IOException {
    try (Served served = Served.ready()) {
      served.network.answers =
          _ -> {
            throw new Refused("virtual: " + Thread.currentThread().isVirtual());
          };
      assertThat(DockerdPeer.call(served.socket, "NetworkDriver.Leave", LEAVE).error())
          .isEqualTo("virtual: true");
    }
  }
}
