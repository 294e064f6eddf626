package io.flannelvlan.tests.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Something with a network of its own, from which others can be tried: a machine, host, container,
 * pod.
 */
public sealed interface Station permits Machine, Host, Container, Pod, Task {
  String name();

  /** Where others find it; for a container with several networks see {@link Container#address}. */
  String address();

  /** Runs a tool of the machine (ip, nft, iperf3, tcpdump, …) in this one's network. */
  default Result in(String... tool) {
    return tool(tool).run();
  }

  /** One ping, answered within a second. */
  default boolean pings(String address) {
    return in(Engine.busybox().toString(), "ping", "-c", "1", "-W", "1", address).ok();
  }

  /** Pings until one is answered, for a path that may still be under construction. */
  default boolean reaches(String address) {
    return Await.within(Duration.ofSeconds(10), () -> pings(address));
  }

  /** As whom the one that answers at this address sees us; nothing if none answers. */
  default Optional<String> seenAs(String addressAndPort) {
    return fetch(addressAndPort, "cgi-bin/who");
  }

  /** The host name of the one that answers at this address. */
  default Optional<String> whoAnswers(String addressAndPort) {
    return fetch(addressAndPort, "cgi-bin/name");
  }

  /** Whether 4 MiB from the lab container at this address arrive as they were sent. */
  default boolean downloads(String addressAndPort) {
    String script =
        """
        sum=$("$0" wget -q -O - "$1/bulk" | "$0" sha256sum | cut -d' ' -f1)
        "$0" wget -q -O - "$1/bulk.sha256" | grep -q "^$sum "
        """;
    String url = "http://" + addressAndPort;
    return in("timeout", "20", "bash", "-c", script, Engine.busybox().toString(), url).ok();
  }

  /**
   * Starts a server at a port of this one's network; it ends with {@link Daemon#stop} or the lab.
   */
  default Daemon answering(Protocol protocol, int port) {
    Daemon server =
        new Daemon(
            "the server of " + name() + " at " + port + "/" + protocol.word(),
            Path.of("/dev/null"),
            () -> tool("perl").with(Project.script("answer"), "serve", protocol.word(), port),
            () -> ask(protocol, "127.0.0.1", port).isPresent());
    server.start();
    return server;
  }

  /** What such a server answers, "ADDRESS PORT" of us as it sees us; nothing if none answers. */
  default Optional<String> ask(Protocol protocol, String address, int port) {
    String script = Project.script("answer").toString();
    Result answer = in("perl", script, "ask", protocol.word(), address, Integer.toString(port));
    return answer.ok() ? Optional.of(answer.text()) : Optional.empty();
  }

  /** Starts a server that sends back what comes; it ends with {@link Daemon#stop} or the lab. */
  default Daemon echoing(Protocol protocol, int port) {
    Daemon server =
        new Daemon(
            "the echo of " + name() + " at " + port + "/" + protocol.word(),
            Path.of("/dev/null"),
            () -> tool("perl").with(Project.script("pulse"), "serve", protocol.word(), port),
            () -> converse(protocol, "127.0.0.1", port, Path.of("/")).ok());
    server.start();
    return server;
  }

  /**
   * Says something to such a server every 10 ms, in one conversation, until the file is there: "812
   * answers, 0 lost, longest wait 14 ms".
   */
  default Result converse(Protocol protocol, String address, int port, Path end) {
    return conversation(protocol, address, port, end).run();
  }

  /** The same, for as long as that. */
  default Result converse(Protocol protocol, String address, int port, Path end, Duration longest) {
    return conversation(protocol, address, port, end).within(longest).run();
  }

  private Command conversation(Protocol protocol, String address, int port, Path end) {
    return tool("perl").with(Project.script("pulse"), "watch", protocol.word(), address, port, end);
  }

  private Command tool(String... words) {
    return switch (this) {
      case Machine machine -> machine.namespaces().command(words);
      case Host host -> host.namespaces().command(words);
      case Container container -> container.command(words);
      case Pod pod -> pod.command(words);
      case Task task -> task.command(words);
    };
  }

  private Optional<String> fetch(String addressAndPort, String path) {
    // By timeout, not wget -T: a static busybox 1.35 crashes on that option.
    String url = "http://" + addressAndPort + "/" + path;
    Result answer = in("timeout", "3", Engine.busybox().toString(), "wget", "-q", "-O", "-", url);
    return answer.ok() ? Optional.of(answer.text()) : Optional.empty();
  }
}
