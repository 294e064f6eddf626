package io.flannelvlan.dockerengine;

import io.flannelvlan.unixhttp.Question;
import io.flannelvlan.unixhttp.UnixHttp;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/**
 * dockerd at its Unix socket.
 *
 * <p>Paths without a version get the engine's own; the few members that we read and write are the
 * same in all of them.
 */
public final class DockerEngine {

  /** dockerd listens early in its start and answers when it is done; that is no answer for us. */
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** dockerd calls the plugin meanwhile, which may have to wait for etcd, and repeats its calls. */
  private static final Duration CHANGE_DEADLINE = Duration.ofSeconds(40);

  private static final int OK = 200;
  private static final int CREATED = 201;
  private static final int NO_CONTENT = 204;
  private static final int NOT_FOUND = 404;

  private final Path socket;
  private final UnixHttp http;
  private final Duration deadline;
  private final EngineJson json = new EngineJson();

  public DockerEngine(Path socket) {
    this(socket, DEADLINE);
  }

  DockerEngine(Path socket, Duration deadline) {
    this.socket = socket;
    this.http = new UnixHttp(socket);
    this.deadline = deadline;
  }

  /** The engine's own id, the same for as long as its data directory lives. */
  public String id() {
    return get("/info", json::engineId);
  }

  /** All networks, those that are being removed excepted. */
  public List<ListedNetwork> networks() {
    return get("/networks", json::networks);
  }

  /**
   * One network with all its endpoints.
   *
   * @throws EngineException also if there is none of that id
   */
  public EngineNetwork network(String id) {
    return get("/networks/" + id, json::network);
  }

  /**
   * Makes a network.
   *
   * @throws EngineException in the engine's words, such as that its name is taken
   */
  public void create(NewNetwork network) {
    change(Question.post("/networks/create", json.create(network), CHANGE_DEADLINE), CREATED);
  }

  /**
   * Removes a network; one that is not there is removed already.
   *
   * @throws EngineException in the engine's words, such as that it has active endpoints
   */
  public void remove(String id) {
    change(Question.delete("/networks/" + id, CHANGE_DEADLINE), NO_CONTENT, NOT_FOUND);
  }

  /**
   * Connects a container.
   *
   * @throws EngineException in the engine's words, such as that there is no such container
   */
  public void connect(NewAttachment attachment) {
    String path = "/networks/" + attachment.network() + "/connect";
    change(Question.post(path, json.connect(attachment), CHANGE_DEADLINE), OK);
  }

  /**
   * Disconnects a container.
   *
   * @throws EngineException in the engine's words, such as that it is not connected
   */
  public void disconnect(String network, String container) {
    String path = "/networks/" + network + "/disconnect";
    change(Question.post(path, json.disconnect(container), CHANGE_DEADLINE), OK);
  }

  /** All containers, running or not; what they are attached to is their own memory of it. */
  public List<EngineContainer> containers() {
    return get("/containers/json?all=true", json::containers);
  }

  /**
   * The ports that a container was made to publish, IPv4 only. Which of several allowed ports it
   * got, an engine does not know of a plugin's network.
   */
  public List<EnginePort> ports(String container) {
    return get("/containers/" + container + "/json", json::ports);
  }

  /** Reads one kind of answer. */
  private interface Answer<T> {
    T read(InputStream body) throws IOException;
  }

  private <T> T get(String path, Answer<T> answer) {
    return ask(
        Question.get(path, deadline),
        (status, body) -> {
          requireStatus(status, body, OK);
          return answer.read(body);
        });
  }

  /** Asks for a change; {@code wanted} are the answers that say that it is so now. */
  private void change(Question question, int... wanted) {
    ask(
        question,
        (status, body) -> {
          requireStatus(status, body, wanted);
          return status;
        });
  }

  private <T> T ask(Question question, UnixHttp.Reader<T> reader) {
    try {
      return http.ask(question, reader);
    } catch (IOException | IllegalArgumentException e) {
      throw new EngineException("Docker at " + socket + ", " + question + ": " + e.getMessage(), e);
    }
  }

  private void requireStatus(int status, InputStream body, int... wanted) throws IOException {
    if (IntStream.of(wanted).noneMatch(one -> one == status)) {
      throw new IOException(json.refusal(body).orElse("HTTP " + status));
    }
  }
}
