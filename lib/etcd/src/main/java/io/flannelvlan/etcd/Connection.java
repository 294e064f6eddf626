package io.flannelvlan.etcd;

import com.google.common.util.concurrent.MoreExecutors;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * The client library, set up so that no call outlives its deadline, and replaceable while in use.
 */
final class Connection implements AutoCloseable {

  /** The least that gRPC accepts; a frozen etcd is noticed sooner, by the heartbeat. */
  private static final Duration KEEPALIVE = Duration.ofSeconds(10);

  private static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(3);

  /** A host that swallows packets must not hold up the other endpoints for the default 30 s. */
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /** gRPC reports a deadline itself; this is for the case that it does not. */
  private static final Duration GRACE = Duration.ofMillis(250);

  private static final int KNOCK_MILLIS = 300;

  /** A range of a large cluster exceeds gRPC's default of 4 MB. */
  private static final int MAX_MESSAGE_BYTES = 64 << 20;

  private static final ScopedValue<Deadline> DEADLINE = ScopedValue.newInstance();

  private final EtcdSettings settings;
  private final ThreadPoolExecutor callbacks = callbackThreads();
  private final ReentrantLock renewing = new ReentrantLock();
  private volatile Client client;

  Connection(EtcdSettings settings) {
    this.settings = settings;
    this.client = connect();
  }

  /**
   * Sends one request and waits for its answer.
   *
   * @throws ExecutionException with what the client library threw
   */
  <T> T call(Duration deadline, Function<Client, CompletableFuture<T>> request)
      throws ExecutionException, TimeoutException, InterruptedException {
    Deadline until = Deadline.after(deadline.toNanos(), TimeUnit.NANOSECONDS);
    CompletableFuture<T> answer =
        ScopedValue.where(DEADLINE, until).call(() -> request.apply(client));
    try {
      return answer.get(deadline.plus(GRACE).toNanos(), TimeUnit.NANOSECONDS);
    } finally {
      answer.cancel(true);
    }
  }

  Client client() {
    return client;
  }

  EtcdSettings settings() {
    return settings;
  }

  /** Starts over: an old connection may wait up to two minutes before it tries etcd again. */
  void renew() {
    Client old;
    renewing.lock();
    try {
      old = client;
      client = connect();
    } finally {
      renewing.unlock();
    }
    old.close();
  }

  /** True if someone accepts TCP connections at one of the endpoints. */
  boolean isListening() {
    return settings.endpoints().stream().anyMatch(Connection::isListening);
  }

  @Override
  public void close() {
    client.close();
    callbacks.shutdown();
  }

  private static boolean isListening(URI endpoint) {
    try (Socket socket = new Socket()) {
      int port = endpoint.getPort() == -1 ? 2379 : endpoint.getPort();
      socket.connect(new InetSocketAddress(endpoint.getHost(), port), KNOCK_MILLIS);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private Client connect() {
    ClientBuilder builder =
        Client.builder()
            .endpoints(settings.endpoints())
            .waitForReady(false)
            // Whether another try is safe and still in time is decided in Calls, not by the client.
            .retryMaxAttempts(0)
            .keepaliveTime(KEEPALIVE)
            .keepaliveTimeout(KEEPALIVE_TIMEOUT)
            .connectTimeout(CONNECT_TIMEOUT)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            // A member that lost its cluster must say so instead of answering late or never.
            .header("hasleader", "true")
            // In the caller's thread, so that the interceptor sees the caller's deadline.
            .executorService(MoreExecutors.newDirectExecutorService())
            .interceptor(new Bounds());
    try {
      if (settings.isTls()) {
        builder.sslContext(this::trust);
      }
      settings.serverName().ifPresent(builder::authority);
      settings.user().ifPresent(user -> builder.user(Wire.bytes(user)));
      settings.passwordFile().ifPresent(file -> builder.password(Wire.bytes(password(file))));
    } catch (IOException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "etcd certificates cannot be used: "
              + e.getMessage()
              + "; certificates are PEM, the key is PEM in PKCS#8 (openssl pkcs8 -topk8 -nocrypt)",
          e);
    }
    return builder.build();
  }

  private void trust(SslContextBuilder tls) {
    settings.caCert().ifPresent(file -> tls.trustManager(file.toFile()));
    settings
        .cert()
        .ifPresent(
            cert -> settings.key().ifPresent(key -> tls.keyManager(cert.toFile(), key.toFile())));
  }

  private static String password(Path file) {
    try {
      return Files.readString(file).stripTrailing();
    } catch (IOException e) {
      throw new UncheckedIOException("etcd password file " + file + " cannot be read", e);
    }
  }

  private static ThreadPoolExecutor callbackThreads() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            2,
            2,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("etcd-callback-", 1).factory());
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** Puts the deadline on the gRPC call itself, and its callbacks on our few threads. */
  private final class Bounds implements ClientInterceptor {

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      CallOptions ours = options.withExecutor(callbacks);
      if (method.getType() == MethodDescriptor.MethodType.UNARY) {
        // A login runs in a thread of the client's, where no deadline of ours is bound.
        ours =
            ours.withDeadline(
                DEADLINE.isBound()
                    ? DEADLINE.get()
                    : Deadline.after(Etcd.DEADLINE.toMillis(), TimeUnit.MILLISECONDS));
      }
      return next.newCall(method, ours);
    }
  }
}
