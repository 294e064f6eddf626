package io.flannelvlan.etcdserver;

import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The etcd that the plugin carries: started, watched and ended by us, its data in the state
 * directory, and nobody let in without a certificate of its own authority.
 *
 * <p>Below the state directory: {@code join}, the line for other hosts; {@code rotate-join}, which
 * a person makes to have a new authority and a new line; {@code etcd/}, the rest.
 */
public final class EtcdServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EtcdServer.class);

  /** How long a person waits for a new line, and for a line that follows a new address. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  /** Whoever made room on the disk waits no longer; and who has lived as long is well. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** To make keys costs a second of a processor. */
  private static final Duration LONGEST_PAUSE_OF_KEYS = Duration.ofMinutes(1);

  private final Path state;
  private final Path directory;
  private final EtcdProgram program;
  private final Supplier<Optional<IpAddress>> address;
  private final Identity identity;
  private final Trouble running = new Trouble("etcd of this host", FIRST_PAUSE, LONGEST_PAUSE);
  private final Trouble lineTrouble;
  private final Trouble rotationTrouble;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private volatile Runnable renewed = () -> {};

  /** What is in the file, as far as this thread knows. */
  private String line = "";

  /** Whether a rotation was interrupted. */
  private boolean halfRotated;

  private EtcdServer(Path state, EtcdProgram program, Supplier<Optional<IpAddress>> address)
      throws IOException {
    this.state = state;
    this.directory = Files.createDirectories(state.resolve("etcd"));
    this.program = program;
    this.address = address;
    this.identity = new Identity(directory);
    this.lineTrouble = new Trouble(joinFile().toString(), LOOK, LONGEST_PAUSE);
    this.rotationTrouble = new Trouble(rotationWish().toString(), LOOK, LONGEST_PAUSE_OF_KEYS);
    identity.keep();
    this.thread = Thread.ofPlatform().name("etcd-server").start(this::run);
  }

  /**
   * Begins; etcd answers a moment later.
   *
   * @param state where its data, its authority and the line are kept
   * @param address where other hosts find this one, if it is known already
   * @throws UncheckedIOException if what is missing in the state can't be written
   * @throws IllegalStateException if there is no etcd to start
   */
  public static EtcdServer start(Path state, Supplier<Optional<IpAddress>> address) {
    return start(state, EtcdProgram.found(), address);
  }

  static EtcdServer start(Path state, EtcdProgram program, Supplier<Optional<IpAddress>> address) {
    try {
      return new EtcdServer(state, program, address);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "can't prepare the etcd of this host, " + Trouble.reason(e), e);
    }
  }

  /** How this very host uses it. */
  public EtcdSettings settings() {
    return Credentials.settings(Identity.ofClient(directory), endpoint("127.0.0.1"));
  }

  /** What is done when connections must be made anew, since the certificates are new. */
  public void whenRenewed(Runnable listener) {
    renewed = listener;
  }

  /** Ends etcd; its data stay. */
  @Override
  public void close() {
    closing.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private URI endpoint(String host) {
    return URI.create("https://" + host + ":" + program.clientPort());
  }

  private Path joinFile() {
    return state.resolve("join");
  }

  private Path rotationWish() {
    return state.resolve("rotate-join");
  }

  private void run() {
    try {
      do {
        try {
          attend();
        } catch (IOException e) {
          running.is(Trouble.reason(e) + "; what runs goes on without it, and it is tried again");
        } catch (RuntimeException e) {
          // Whatever it is: without this thread nobody would start etcd again.
          LOG.error("etcd of this host is not attended to", e);
          running.is(e.toString());
        }
      } while (!closing.await(running.rest().toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** From etcd's start to its end, whoever wanted that. */
  private void attend() throws IOException, InterruptedException {
    if (halfRotated) {
      identity.keep();
      halfRotated = false;
    }
    EtcdDirectory data = EtcdDirectory.in(directory);
    EtcdVersion version = program.version();
    data.giveTo(program.path(), version);
    try (EtcdProcess etcd = program.start(directory)) {
      if (endIsWanted(etcd)) {
        return;
      }
      Optional<EtcdVersion> newer = etcd.words().newerData();
      if (newer.isPresent()) {
        data.note(newer.get());
        data.giveTo(program.path(), version);
      }
      throw new IOException("it ended with status " + etcd.status() + ", " + etcd.words().reason());
    }
  }

  /**
   * Watches it.
   *
   * @return whether somebody wants it to end; else it has ended by itself
   */
  private boolean endIsWanted(EtcdProcess etcd) throws IOException, InterruptedException {
    long start = System.nanoTime();
    do {
      // First of all: who has seen etcd at work finds the line.
      keepLine();
      if (Files.exists(rotationWish()) && rotationTrouble.rest().isZero() && rotate()) {
        return true;
      }
      if (System.nanoTime() - start > LONGEST_PAUSE.toNanos()) {
        running.isOver();
      }
    } while (etcd.isAlive() && !closing.await(LOOK.toMillis(), TimeUnit.MILLISECONDS));
    return closing.getCount() == 0;
  }

  /** Writes the line, if it is another one than before. etcd is there without it, too. */
  private void keepLine() {
    Optional<IpAddress> here = address.get();
    if (here.isEmpty() || !lineTrouble.rest().isZero()) {
      return;
    }
    try {
      Credentials client = Credentials.read(Identity.ofClient(directory));
      String now = new JoinLine(endpoint(here.get().toString()), client).toString();
      if (!now.equals(line) || !Files.exists(joinFile())) {
        PrivateFile.write(joinFile(), now + "\n");
        line = now;
      }
      lineTrouble.isOver();
    } catch (IOException e) {
      lineTrouble.is("it is not written, " + Trouble.reason(e));
    }
  }

  /**
   * Every line of before is worth nothing from now on.
   *
   * @return whether etcd must be started with what is new; else all is as it was
   */
  private boolean rotate() throws IOException {
    Path next;
    try {
      next = identity.prepare();
    } catch (IOException e) {
      rotationTrouble.is("the authority and the line stay as they are, " + Trouble.reason(e));
      return false;
    }
    halfRotated = true;
    identity.replaceBy(next);
    halfRotated = false;
    Files.deleteIfExists(joinFile());
    Files.delete(rotationWish());
    rotationTrouble.isOver();
    LOG.warn("etcd of this host has a new authority: give {} to all hosts", joinFile());
    renewed.run();
    return true;
  }
}
