package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.Protocol;
import io.flannelvlan.tests.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** Conversations between containers that go on until it is asked how they went. */
final class Traffic {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final int PORT = 7000;

  private final Path end;
  private final List<Daemon> servers = new ArrayList<>();
  private final List<CompletableFuture<Result>> conversations = new ArrayList<>();

  Traffic(Lab lab) {
    this.end = lab.dir().resolve("traffic-" + COUNT.incrementAndGet() + "-ends");
  }

  /** Begins to talk, by TCP and by UDP. */
  Traffic between(Container client, Container server) {
    for (Protocol protocol : Protocol.values()) {
      int port = PORT + servers.size();
      servers.add(server.echoing(protocol, port));
      String address = server.address();
      assertThat(client.reaches(address)).isTrue();
      conversations.add(
          CompletableFuture.supplyAsync(
              () -> client.converse(protocol, address, port, end), Thread::startVirtualThread));
    }
    return this;
  }

  /** Ends it; nothing may have been lost. */
  void requireUninterrupted() {
    try {
      Files.createFile(end);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (CompletableFuture<Result> conversation : conversations) {
      Result result = conversation.join();
      assertThat(result.ok()).as(result.toString()).isTrue();
      assertThat(result.text()).matches("[1-9]\\d+ answers, 0 lost, .*");
    }
    servers.forEach(Daemon::stop);
  }
}
