package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Plays dockerd's end of one connection, byte by byte: what it writes is exactly what is sent. */
final class DockerdPeer implements AutoCloseable {

  static final ObjectMapper JSON = new ObjectMapper();

  private final SocketChannel channel;
  private final InputStream in;

  private DockerdPeer(SocketChannel channel) {
    this.channel = channel;
    this.in = new BufferedInputStream(Channels.newInputStream(channel));
  }

  static DockerdPeer connect(Path socket) throws IOException {
    return new DockerdPeer(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  /** One call on a connection of its own, as a new engine sends it. */
  static Answer call(Path socket, String verb, String body) throws IOException {
    try (DockerdPeer peer = connect(socket)) {
      return peer.call(verb, body);
    }
  }

  Answer call(String verb, String body) throws IOException {
    send(request(verb, "Host: plugin.moby.localhost\r\n", body));
    return receive();
  }

  /** The bytes of a call as Go writes them, with that line in place of its Host. */
  static String request(String verb, String hostLine, String body) {
    return "POST /"
        + verb
        + " HTTP/1.1\r\n"
        + hostLine
        + "User-Agent: Go-http-client/1.1\r\nContent-Length: "
        + body.getBytes(StandardCharsets.UTF_8).length
        + "\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n"
        + body;
  }

  void send(String text) throws IOException {
    send(text.getBytes(StandardCharsets.UTF_8));
  }

  void send(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  void endOutput() throws IOException {
    channel.shutdownOutput();
  }

  /** Whether the server has closed the connection, after what it sent was received. */
  boolean isClosedByServer() throws IOException {
    return in.read() < 0;
  }

  Answer receive() throws IOException {
    String[] statusLine = line().split(" ", 3);
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    return new Answer(Integer.parseInt(statusLine[1]), headers, body(headers));
  }

  private String body(Map<String, String> headers) throws IOException {
    String encoding = headers.getOrDefault("Transfer-Encoding", "");
    if (encoding.toLowerCase(Locale.ROOT).equals("chunked")) {
      throw new IOException("replies are short and were never chunked");
    }
    int length = Integer.parseInt(headers.getOrDefault("Content-Length", "0"));
    return new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("closed after \"" + line + "\"");
      }
      line.append((char) c);
    }
    return line.toString().strip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  record Answer(int status, Map<String, String> headers, String text) {

    JsonNode json() throws IOException {
      return JSON.readTree(text);
    }

    /** The error as either of Docker's two readers finds it. */
    String error() throws IOException {
      String err = json().path("Err").asText("");
      if (!err.equals(json().path("Error").asText(""))) {
        throw new AssertionError("Err and Error differ: " + text);
      }
      return err;
    }
  }
}
