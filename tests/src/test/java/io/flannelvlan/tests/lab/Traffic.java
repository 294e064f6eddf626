package io.flannelvlan.tests.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Conversations between containers, of 100 words a second, until it is asked how they went. */
public final class Traffic {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final int PORT = 7000;
  private static final Duration BETWEEN_WORDS = Duration.ofMillis(10);
  private static final Duration LONGEST = Duration.ofMinutes(5);
  private static final Pattern ALL_ANSWERED =
      Pattern.compile("([1-9]\\d+) answers, 0 lost, .*, in (\\d+) ms");

  private final Path end;
  private final List<Daemon> servers = new ArrayList<>();
  private final List<CompletableFuture<Result>> conversations = new ArrayList<>();

  public Traffic(Lab lab) {
    this.end = lab.dir().resolve("traffic-" + COUNT.incrementAndGet() + "-ends");
  }

  /** Begins to talk, by TCP and by UDP. */
  public Traffic between(Container client, Container server) {
    for (Protocol protocol : Protocol.values()) {
      int port = PORT + servers.size();
      servers.add(server.echoing(protocol, port));
      String address = server.address();
      assertThat(client.reaches(address)).isTrue();
      conversations.add(
          CompletableFuture.supplyAsync(
              () -> client.converse(protocol, address, port, end, LONGEST),
              Thread::startVirtualThread));
    }
    return this;
  }

  /** Ends it; nothing may have been lost. */
  public void requireUninterrupted() {
    try {
      Files.createFile(end);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (CompletableFuture<Result> conversation : conversations) {
      Result result = conversation.join();
      assertThat(result.ok()).as(result.toString()).isTrue();
      Matcher all = ALL_ANSWERED.matcher(result.text());
      assertThat(all.matches()).as(result.text()).isTrue();
      assertThat(Duration.ofMillis(Long.parseLong(all.group(2))))
          .as(result.text())
          .isLessThan(Leeway.over(BETWEEN_WORDS.multipliedBy(Long.parseLong(all.group(1)))));
    }
    servers.forEach(Daemon::stop);
  }
}
