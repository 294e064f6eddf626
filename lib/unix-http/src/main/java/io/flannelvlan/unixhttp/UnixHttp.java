package io.flannelvlan.unixhttp;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A daemon at its Unix socket; one connection per question.
 *
 * <p>HTTP/1.0 on purpose: the answer is then neither chunked nor kept alive, it ends with the
 * connection, and JSON that was cut short is not JSON any more.
 */
public final class UnixHttp {

  private static final int LONGEST_LINE = 8192;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3})( .*)?");

  private final Path socket;

  public UnixHttp(Path socket) {
    this.socket = socket;
  }

  /**
   * Reads one kind of answer.
   *
   * @param <T> what it says
   */
  public interface Reader<T> {

    /**
     * Called once the headers are over.
     *
     * @param status such as 200
     */
    T read(int status, InputStream body) throws IOException;
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws NobodyListens if there is no daemon
   * @throws IOException if there is none within the deadline, or none that is HTTP
   */
  public <T> T ask(Question question, Reader<T> reader) throws IOException {
    try (SocketChannel channel = connect()) {
      Thread limit =
          Thread.ofPlatform().daemon().start(() -> closeLate(channel, question.deadline()));
      try {
        ByteBuffer bytes = ByteBuffer.wrap(question.bytes());
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        InputStream in = new BufferedInputStream(Channels.newInputStream(channel));
        return reader.read(status(in), in);
      } finally {
        limit.interrupt();
      }
    } catch (AsynchronousCloseException e) {
      throw new IOException("no answer in " + question.deadline().toSeconds() + " s", e);
    }
  }

  private SocketChannel connect() throws NobodyListens {
    try {
      return SocketChannel.open(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      throw new NobodyListens(e);
    }
  }

  /** A blocked read knows no time limit of its own. */
  private static void closeLate(SocketChannel channel, Duration deadline) {
    try {
      TimeUnit.NANOSECONDS.sleep(deadline.toNanos());
      channel.close();
    } catch (InterruptedException | IOException _) {
      // Answered in time, or closed already.
    }
  }

  private static int status(InputStream in) throws IOException {
    String line = line(in);
    Matcher status = STATUS.matcher(line);
    if (!status.matches()) {
      throw new IOException(line.isEmpty() ? "no answer" : "the answer is no HTTP");
    }
    while (!line(in).isEmpty()) {
      // No header changes how the body is read.
    }
    return Integer.parseInt(status.group(1));
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
      if (line.length() > LONGEST_LINE) {
        throw new IOException("the answer is no HTTP");
      }
    }
    return line.toString().strip();
  }
}
