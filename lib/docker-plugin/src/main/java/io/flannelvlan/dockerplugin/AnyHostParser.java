package io.flannelvlan.dockerplugin;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.HttpParser;

/**
 * A parser that reads a Host header between the request line and the rest, if there is none.
 *
 * <p>Jetty's parser insists on one in HTTP/1.1 and has no switch either. The headers must lie in
 * the buffer as a whole, as they do when a peer writes its request at once; else Jetty's 400
 * stands.
 */
final class AnyHostParser extends HttpParser {

  private static final byte[] HOST_LINE =
      ("Host: " + AnyHostConnection.HOST + "\r\n").getBytes(StandardCharsets.US_ASCII);

  private static final int NOT_THERE = -1;

  AnyHostParser(RequestHandler handler, int maxHeaderBytes, HttpCompliance compliance) {
    super(handler, maxHeaderBytes, compliance);
  }

  @Override
  public boolean parseNext(ByteBuffer buffer) {
    int headers = isStart() ? headersWithoutHost(buffer) : NOT_THERE;
    if (headers == NOT_THERE) {
      return super.parseNext(buffer);
    }
    int limit = buffer.limit();
    buffer.limit(headers);
    boolean handled = super.parseNext(buffer);
    if (!handled && isState(State.HEADER)) {
      handled = super.parseNext(ByteBuffer.wrap(HOST_LINE));
    }
    if (handled || !isState(State.HEADER)) {
      // A bad or too long request line. Its answer is being written on another thread by now; the
      // buffer is emptied and perhaps in use for that, and must not be touched.
      return handled;
    }
    buffer.limit(limit);
    return super.parseNext(buffer);
  }

  /** Where the headers begin, if all of them are here and Host is not among them. */
  private static int headersWithoutHost(ByteBuffer buffer) {
    int requestLine = buffer.position();
    // An empty line before the request is ignored, as RFC 9112 2.2 asks.
    while (requestLine < buffer.limit() && isLineEnd(buffer.get(requestLine))) {
      requestLine++;
    }
    int headers = nextLine(buffer, requestLine);
    for (int line = headers; line != NOT_THERE; line = nextLine(buffer, line)) {
      if (line < buffer.limit() && isLineEnd(buffer.get(line))) {
        return headers;
      }
      if (isHost(buffer, line)) {
        return NOT_THERE;
      }
    }
    return NOT_THERE;
  }

  private static boolean isLineEnd(byte b) {
    return b == '\r' || b == '\n';
  }

  private static int nextLine(ByteBuffer buffer, int from) {
    for (int i = from; i < buffer.limit(); i++) {
      if (buffer.get(i) == '\n') {
        return i + 1;
      }
    }
    return NOT_THERE;
  }

  private static boolean isHost(ByteBuffer buffer, int line) {
    byte[] name = new byte[Math.min("host:".length(), buffer.limit() - line)];
    buffer.get(line, name);
    return new String(name, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT).equals("host:");
  }
}
