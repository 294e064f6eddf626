package io.flannelvlan.tests.rules;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Host;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Calls of the plugin as dockerd makes them: HTTP on its socket, one connection each. */
final class Wire {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private Wire() {}

  /** What came back. */
  record Reply(int status, String body) {
    boolean ok() {
      return status == 200;
    }
  }

  /**
   * The same for whoever asks again where etcd was not heard of yet, as on a busy machine after a
   * start; nothing if the plugin ends meanwhile.
   */
  static Optional<Reply> answered(Path socket, String verb, String body) {
    try {
      Deque<Reply> replies = new ArrayDeque<>();
      Await.within(
          PATIENCE,
          () -> {
            replies.add(call(socket, verb, body));
            return !replies.getLast().body().contains("etcd is away");
          });
      return Optional.of(replies.getLast());
    } catch (UncheckedIOException | IllegalStateException ended) {
      return Optional.empty();
    }
  }

  static boolean answers(Host host) {
    return answers(host.pluginSocket());
  }

  static boolean answers(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }

  static Reply call(Host host, String verb, String json) {
    return call(host.pluginSocket(), verb, json);
  }

  private static Reply call(Path socket, String verb, String json) {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /%s HTTP/1.1\r\nHost: plugin\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            .formatted(verb, body.length);
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      send(channel, head.getBytes(StandardCharsets.UTF_8));
      try {
        send(channel, body);
      } catch (IOException refusedBeforeItsEnd) {
        return reply(receive(channel));
      }
      return reply(receive(channel));
    } catch (IOException e) {
      throw new UncheckedIOException(verb, e);
    }
  }

  private static void send(SocketChannel channel, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private static String receive(SocketChannel channel) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(65_536);
    while (channel.read(buffer) >= 0) {
      all.write(buffer.array(), 0, buffer.position());
      buffer.clear();
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  private static Reply reply(String text) {
    int end = text.indexOf("\r\n\r\n");
    if (!text.startsWith("HTTP/1.1 ") || end < 0) {
      throw new IllegalStateException("no reply but: " + text);
    }
    return new Reply(Integer.parseInt(text.substring(9, 12)), text.substring(end + 4));
  }
}
