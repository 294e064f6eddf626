package io.flannelvlan.tests.chaos;

import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.LabException;
import io.flannelvlan.tests.lab.Protocol;
import io.flannelvlan.tests.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Packets between the hosts' anchors, 100 a second in each pair, until it is asked how they went.
 */
final class Traffic {
  private static final Pattern OUTCOME = Pattern.compile("(\\d+) answers, (\\d+) lost, .*");
  private static final int PORT = 7000;

  private final Path end;
  private final List<Daemon> servers = new ArrayList<>();
  private final List<CompletableFuture<Result>> conversations = new ArrayList<>();

  /** What became of it. */
  record Outcome(int sent, int lost) {}

  Traffic(Scene scene) {
    this.end = scene.lab().dir().resolve("traffic-ends");
    List<Host> hosts = scene.hosts();
    List<Container> anchors = new ArrayList<>();
    for (int i = 0; i < hosts.size(); i++) {
      anchors.add(hosts.get(i).container(Scene.anchor(i)));
      servers.add(anchors.getLast().echoing(Protocol.UDP, PORT));
    }
    for (int i = 0; i < hosts.size(); i++) {
      Container from = anchors.get(i);
      String to = anchors.get((i + 1) % hosts.size()).address();
      conversations.add(
          CompletableFuture.supplyAsync(
              () -> from.converse(Protocol.UDP, to, PORT, end), Thread::startVirtualThread));
    }
  }

  Outcome end() {
    int sent = 0;
    int lost = 0;
    try {
      Files.createFile(end);
      for (CompletableFuture<Result> conversation : conversations) {
        Matcher outcome = OUTCOME.matcher(conversation.join().orThrow().text());
        if (!outcome.matches()) {
          throw new LabException("what became of the traffic? " + conversation.join());
        }
        sent += Integer.parseInt(outcome.group(1)) + Integer.parseInt(outcome.group(2));
        lost += Integer.parseInt(outcome.group(2));
      }
      servers.forEach(Daemon::stop);
      Files.delete(end);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Outcome(sent, lost);
  }
}
