package io.flannelvlan.dockerengine;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * dockerd at its Unix socket; one connection per question.
 *
 * <p>HTTP/1.0 on purpose: the answer is then neither chunked nor kept alive, it ends with the
 * connection, and one that was cut short is not JSON any more. Paths without a version get the
 * engine's own; the few members that we read are the same in all of them.
 */
public final class DockerEngine {

  /** dockerd listens early in its start and answers when it is done; that is no answer for us. */
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private static final int LONGEST_LINE = 8192;

  private final Path socket;
  private final Duration deadline;
  private final EngineJson json = new EngineJson();

  public DockerEngine(Path socket) {
    this(socket, DEADLINE);
  }

  DockerEngine(Path socket, Duration deadline) {
    this.socket = socket;
    this.deadline = deadline;
  }

  /** The engine's own id, the same for as long as its data directory lives. */
  public String id() {
    return get("/info", json::engineId);
  }

  /** The ids of all networks, those that are being removed excepted. */
  public Set<String> networkIds() {
    return get("/networks", json::networkIds);
  }

  /**
   * One network with all its endpoints.
   *
   * @throws EngineException also if there is none of that id
   */
  public EngineNetwork network(String id) {
    return get("/networks/" + id, json::network);
  }

  /** What all containers, running or not, are attached to; the containers' own memory of it. */
  public List<Attachment> attachments() {
    return get("/containers/json?all=true", json::attachments);
  }

  /** Reads one kind of answer. */
  private interface Answer<T> {
    T read(InputStream body) throws IOException;
  }

  private <T> T get(String path, Answer<T> answer) {
    Supplier<String> what = () -> "Docker at " + socket + ", GET " + path + ": ";
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      Thread limit = Thread.ofVirtual().start(() -> closeLate(channel));
      try {
        ask(channel, path);
        InputStream in = new BufferedInputStream(Channels.newInputStream(channel));
        requireOk(in);
        return answer.read(in);
      } finally {
        limit.interrupt();
      }
    } catch (AsynchronousCloseException e) {
      throw new EngineException(what.get() + "no answer in " + deadline.toSeconds() + " s", e);
    } catch (IOException | IllegalArgumentException e) {
      throw new EngineException(what.get() + e.getMessage(), e);
    }
  }

  /** A blocked read knows no time limit of its own. */
  private void closeLate(SocketChannel channel) {
    try {
      TimeUnit.NANOSECONDS.sleep(deadline.toNanos());
      channel.close();
    } catch (InterruptedException | IOException _) {
      // Answered in time, or closed already.
    }
  }

  private static void ask(SocketChannel channel, String path) throws IOException {
    ByteBuffer request =
        ByteBuffer.wrap(
            ("GET " + path + " HTTP/1.0\r\nHost: docker\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    while (request.hasRemaining()) {
      channel.write(request);
    }
  }

  private static void requireOk(InputStream in) throws IOException {
    String status = line(in);
    if (!status.matches("HTTP/1\\.[01] 200( .*)?")) {
      throw new IOException(status.isEmpty() ? "no answer" : status);
    }
    while (!line(in).isEmpty()) {
      // No header changes how the body is read.
    }
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
