package io.flannelvlan.tests.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One kept-alive connection to the plugin, as dockerd has it. */
final class PluginSocket implements AutoCloseable {
  private static final Pattern LENGTH = Pattern.compile("(?i)content-length: *(\\d+)");

  private final SocketChannel channel;

  PluginSocket(Path socket) {
    try {
      channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The reply's body. */
  String call(String verb, String json) {
    try {
      byte[] body = json.getBytes(StandardCharsets.UTF_8);
      String head = "POST /" + verb + " HTTP/1.1\r\nHost: plugin\r\nContent-Length: " + body.length;
      send((head + "\r\n\r\n" + json).getBytes(StandardCharsets.UTF_8));
      return receive(verb);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of a field whose name occurs once in the reply. */
  static String field(String reply, String name) {
    Matcher matcher =
        Pattern.compile("\"" + Pattern.quote(name) + "\"\\s*:\\s*\"([^\"]*)\"").matcher(reply);
    if (!matcher.find()) {
      throw new IllegalStateException("no " + name + " in " + reply);
    }
    return matcher.group(1);
  }

  private void send(byte[] request) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(request);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private String receive(String verb) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(65_536);
    String text = "";
    while (true) {
      if (channel.read(buffer) < 0) {
        throw new IOException(verb + ": the plugin closed the connection");
      }
      text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
      int end = text.indexOf("\r\n\r\n");
      Matcher length = LENGTH.matcher(text);
      if (end >= 0
          && length.find()
          && text.length() >= end + 4 + Integer.parseInt(length.group(1))) {
        if (!text.startsWith("HTTP/1.1 200")) {
          throw new IOException(verb + ": " + text);
        }
        return text.substring(end + 4);
      }
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
