package io.flannelvlan.dockerengine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/** A peer at a Unix socket that answers each path with prepared bytes, or not at all. */
final class TestingEngine implements AutoCloseable {

  private final ServerSocketChannel server;
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private final CountDownLatch over = new CountDownLatch(1);

  TestingEngine(Path socket) throws IOException {
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofVirtual().start(this::serve);
  }

  void answer(String path, String json) {
    raw(path, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + json + "\n");
  }

  void raw(String path, String bytes) {
    answers.put(path, bytes);
  }

  private void serve() {
    try {
      while (true) {
        SocketChannel channel = server.accept();
        Thread.ofVirtual().start(() -> serve(channel));
      }
    } catch (IOException _) {
      // Closed.
    }
  }

  private void serve(SocketChannel channel) {
    try (channel) {
      String answer = answers.get(request(channel).split(" ", 3)[1]);
      if (answer == null) {
        over.await();
      } else {
        channel.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)));
      }
    } catch (IOException | InterruptedException _) {
      // The asker is gone.
    }
  }

  private static String request(SocketChannel channel) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(1024);
    while (!all.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\n")) {
      if (channel.read(buffer.clear()) < 0) {
        throw new IOException("no request");
      }
      all.write(buffer.array(), 0, buffer.position());
    }
    return all.toString(StandardCharsets.US_ASCII);
  }

  @Override
  public void close() throws IOException {
    over.countDown();
    server.close();
  }
}
