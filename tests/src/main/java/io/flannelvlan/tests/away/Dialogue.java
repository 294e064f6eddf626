package io.flannelvlan.tests.away;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.LabException;
import io.flannelvlan.tests.lab.Protocol;
import io.flannelvlan.tests.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Two containers that talk from the beginning to the end, 100 words a second. */
final class Dialogue {
  private static final Pattern OUTCOME =
      Pattern.compile("(\\d+) answers, (\\d+) lost, longest wait (\\d+) ms, .*");
  private static final int PORT = 7000;

  private final Protocol protocol;
  private final Path end;
  private final Daemon server;
  private final CompletableFuture<Result> conversation;

  /** What became of it. */
  record Outcome(Protocol protocol, int answers, int lost, int longestWaitMillis) {}

  Dialogue(Protocol protocol, Container from, Container to, Path end, Duration longest) {
    this.protocol = protocol;
    this.end = end;
    this.server = to.echoing(protocol, PORT);
    String address = to.address();
    this.conversation =
        CompletableFuture.supplyAsync(
            () -> from.converse(protocol, address, PORT, end, longest), Thread::startVirtualThread);
  }

  Outcome end() {
    try {
      Files.writeString(end, "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Result result = conversation.join().orThrow();
    Matcher outcome = OUTCOME.matcher(result.text());
    if (!outcome.matches()) {
      throw new LabException("what became of the conversation? " + result);
    }
    server.stop();
    return new Outcome(
        protocol,
        Integer.parseInt(outcome.group(1)),
        Integer.parseInt(outcome.group(2)),
        Integer.parseInt(outcome.group(3)));
  }
}
