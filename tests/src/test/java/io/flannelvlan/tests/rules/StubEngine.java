package io.flannelvlan.tests.rules;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** An engine that has no container at all, and one network of ours or none. */
final class StubEngine implements AutoCloseable {
  private final Path socket;
  private final String id;
  private final Optional<String> network;
  private final ServerSocketChannel server;

  /** An engine that is not the host's. */
  static StubEngine another(Path socket) {
    return new StubEngine(socket, "another", Optional.empty());
  }

  StubEngine(Path socket, String id, Optional<String> network) {
    this.socket = socket;
    this.id = id;
    this.network = network;
    try {
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::serve);
  }

  private void serve() {
    try {
      while (true) {
        try (SocketChannel channel = server.accept()) {
          answer(channel);
        }
      }
    } catch (IOException closed) {
      // The end.
    }
  }

  private void answer(SocketChannel channel) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(1024);
    channel.read(request);
    String path = new String(request.array(), StandardCharsets.US_ASCII).split(" ", 3)[1];
    channel.write(
        ByteBuffer.wrap(
            ("HTTP/1.0 200 OK\r\n\r\n" + answer(path)).getBytes(StandardCharsets.US_ASCII)));
  }

  private String answer(String path) {
    String shown =
        network
            .map(one ->
                "{\"Id\":\"%s\",\"Name\":\"net\",\"Driver\":\"flannelvlan\",\"Containers\":{}}"
                    .formatted(one))
            .orElse("");
    return switch (path) {
      case "/info" -> "{\"ID\":\"" + id + "\"}";
      case "/networks" -> "[" + shown + "]";
      default -> path.startsWith("/networks/") ? shown : "[]";
    };
  }

  @Override
  public void close() {
    try {
      server.close();
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
