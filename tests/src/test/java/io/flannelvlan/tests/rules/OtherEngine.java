package io.flannelvlan.tests.rules;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** An engine that is not the host's: it has no network and no container at all. */
final class OtherEngine implements AutoCloseable {
  private final ServerSocketChannel server;

  OtherEngine(Path socket) {
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

  private static void answer(SocketChannel channel) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(1024);
    channel.read(request);
    boolean who = new String(request.array(), StandardCharsets.US_ASCII).startsWith("GET /info");
    channel.write(
        ByteBuffer.wrap(
            ("HTTP/1.0 200 OK\r\n\r\n" + (who ? "{\"ID\":\"another\"}" : "[]"))
                .getBytes(StandardCharsets.US_ASCII)));
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
