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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A peer at a Unix socket that answers each path with prepared bytes, or not at all. */
final class TestingEngine implements AutoCloseable {

  private static final Pattern LENGTH = Pattern.compile("Content-Length: (\\d+)");

  private final ServerSocketChannel server;
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private volatile String asked = "";
  private final CountDownLatch over = new CountDownLatch(1);

  TestingEngine(Path socket) throws IOException {
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofVirtual().start(this::serve);
  }

  void answer(String path, String json) {
    raw(path, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + json + "\n");
  }

  /** The last request, whole. */
  String asked() {
    return asked;
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
      asked = request(channel);
      String answer = answers.get(asked.split(" ", 3)[1]);
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
    while (!isWhole(all.toByteArray())) {
      if (channel.read(buffer.clear()) < 0) {
        throw new IOException("no request");
      }
      all.write(buffer.array(), 0, buffer.position());
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  private static boolean isWhole(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int body = text.indexOf("\r\n\r\n") + 4;
    Matcher length = LENGTH.matcher(text);
    return body >= 4
        && text.length() - body >= (length.find() ? Integer.parseInt(length.group(1)) : 0);
  }

  @Override
  public void close() throws IOException {
    over.countDown();
    server.close();
  }
}
