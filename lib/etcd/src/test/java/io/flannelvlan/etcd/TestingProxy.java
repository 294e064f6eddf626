package io.flannelvlan.etcd;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A TCP hop in front of etcd that can be cut and stalled, which is faster than ending etcd. */
public final class TestingProxy implements AutoCloseable {

  private final InetSocketAddress target;
  private final int port;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition flowing = lock.newCondition();
  private boolean stalled;
  private @Nullable ServerSocket listener;
  private @Nullable Thread acceptor;

  private TestingProxy(URI endpoint) {
    this.target = new InetSocketAddress(endpoint.getHost(), endpoint.getPort());
    this.port = TestingEtcd.freePort();
    listen(port);
  }

  /** Lets everything through to {@code endpoint}. */
  public static TestingProxy to(URI endpoint) {
    return new TestingProxy(endpoint);
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** Closes all connections and refuses new ones. */
  public void cut() {
    try {
      if (listener != null) {
        listener.close();
        listener = null;
      }
      if (acceptor != null) {
        // Its last accept may still hold the port, and bring one more connection.
        acceptor.join();
      }
      for (Socket socket : open) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    open.clear();
  }

  /** Listens again after {@link #cut}. */
  public void restore() {
    listen(port);
  }

  /** Keeps connections open and holds back every byte; {@link #flow} delivers them. */
  public void stall() {
    setStalled(true);
  }

  public void flow() {
    setStalled(false);
  }

  @Override
  public void close() {
    flow();
    cut();
  }

  private void setStalled(boolean now) {
    lock.lock();
    try {
      stalled = now;
      flowing.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void listen(int onPort) {
    try {
      ServerSocket server = new ServerSocket();
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), onPort));
      listener = server;
      acceptor = Thread.startVirtualThread(() -> accept(server));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket server) {
    while (!server.isClosed()) {
      try {
        Socket near = server.accept();
        open.add(near);
        join(near);
      } catch (IOException _) {
        // cut
      }
    }
  }

  /** With etcd, or with nobody: then the client sees its connection end. */
  private void join(Socket near) throws IOException {
    Socket far = new Socket();
    open.add(far);
    try {
      far.connect(target);
    } catch (IOException _) {
      near.close();
      return;
    }
    Thread.startVirtualThread(() -> pump(near, far));
    Thread.startVirtualThread(() -> pump(far, near));
  }

  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[16384];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
        awaitFlow();
        out.write(buffer, 0, n);
        out.flush();
      }
    } catch (IOException _) {
      // one side has closed
    }
  }

  private void awaitFlow() {
    lock.lock();
    try {
      while (stalled) {
        flowing.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }
}
