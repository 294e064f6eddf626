package io.flannelvlan.netlink;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.flannelvlan.netlink.Event.Overrun;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A subscription to the kernel's notifications, with a thread of its own that calls back for each.
 *
 * <p>The callback must be quick and must not throw; while it runs the kernel queues, and what does
 * not fit the queue becomes an {@link Overrun}.
 *
 * <p>Two descriptors are waited on, the socket and an eventfd that {@link #close} writes to.
 */
public final class Events implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Events.class);

  /**
   * RTNLGRP_* of linux/rtnetlink.h: links, neighbours, addresses and routes of both families, IPv4
   * settings.
   */
  private static final int[] RTNETLINK_GROUPS = {1, 3, 5, 7, 9, 11, 24};

  /** NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h. */
  private static final int[] NFTABLES_GROUPS = {7};

  private final Arena arena = Arena.ofShared();
  private final Libc libc = new Libc(arena);
  private final MemorySegment polled = arena.allocate(16, 8);
  private final Socket socket;
  private final int wakeUp;
  private final Function<Message, Optional<Event>> codec;
  private final Consumer<Event> callback;
  private final Thread thread;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Events(
      Socket socket,
      Function<Message, Optional<Event>> codec,
      Consumer<Event> callback,
      String role) {
    this.socket = socket;
    this.codec = codec;
    this.callback = callback;
    this.wakeUp = libc.eventDescriptor();
    this.thread = Thread.ofPlatform().name(role).daemon(true).unstarted(this::run);
  }

  /** Links, addresses, routes, neighbours and forwarding entries of the process' namespace. */
  public static Events ofLinks(Consumer<Event> callback) {
    return ofLinks(Socket.open(Libc.NETLINK_ROUTE), callback);
  }

  /** The same of another namespace. */
  public static Events ofLinksIn(Path namespace, Consumer<Event> callback) {
    return ofLinks(openIn(namespace, Libc.NETLINK_ROUTE), callback);
  }

  /** Changes of nftables' rule set in the process' namespace. */
  public static Events ofNftables(Consumer<Event> callback) {
    return ofNftables(Socket.open(Libc.NETLINK_NETFILTER), callback);
  }

  /** The same of another namespace. */
  public static Events ofNftablesIn(Path namespace, Consumer<Event> callback) {
    return ofNftables(openIn(namespace, Libc.NETLINK_NETFILTER), callback);
  }

  private static Socket openIn(Path namespace, int protocol) {
    try (Namespace open = Namespace.open(namespace)) {
      return open.call(() -> Socket.open(protocol));
    }
  }

  private static Events ofLinks(Socket socket, Consumer<Event> callback) {
    Events events = new Events(socket, EventCodec::readRtnetlink, callback, "netlink-events");
    return events.start(RTNETLINK_GROUPS);
  }

  private static Events ofNftables(Socket socket, Consumer<Event> callback) {
    Events events = new Events(socket, EventCodec::readNetfilter, callback, "nftables-events");
    return events.start(NFTABLES_GROUPS);
  }

  /** Once this returns, no change goes unnoticed. */
  private Events start(int... groups) {
    try {
      if (wakeUp < 0) {
        throw NetlinkException.of("open an eventfd", -wakeUp, "");
      }
      for (int group : groups) {
        socket.join(group);
      }
    } catch (NetlinkException refusal) {
      release();
      throw refusal;
    }
    thread.start();
    return this;
  }

  private void run() {
    try {
      serve();
    } catch (RuntimeException | Error failure) {
      log.error("{}: no notification will be noticed any more", thread.getName(), failure);
    }
  }

  private void serve() {
    while (!closed.get()) {
      int ready = libc.pollReadable(polled, socket.descriptor(), wakeUp);
      if (ready < 0 && ready != -Errno.EINTR.number()) {
        throw NetlinkException.of("wait for notifications", -ready, "");
      }
      if (ready > 0 && !closed.get()) {
        receive();
      }
    }
  }

  /** Takes one datagram; several changes may be in it. */
  private void receive() {
    try {
      for (Message message : Message.parse(socket.receive(Libc.MSG_DONTWAIT, "notifications"))) {
        codec.apply(message).ifPresent(callback);
      }
    } catch (MalformedMessageException oddity) {
      log.debug("a notification that can't be read", oddity);
      callback.accept(new Overrun());
    } catch (NetlinkException failure) {
      switch (failure.errno()) {
        case EAGAIN -> {}
        // Lost by the kernel, or too large for the buffer: either way something was missed.
        case ENOBUFS, EMSGSIZE -> callback.accept(new Overrun());
        default -> throw failure;
      }
    }
  }

  /**
   * Ends the thread and waits for it; no callback comes afterwards.
   *
   * @throws IllegalStateException if the callback itself calls this
   */
  @Override
  public void close() {
    if (thread == Thread.currentThread()) {
      throw new IllegalStateException("the callback cannot end its own subscription");
    }
    if (closed.getAndSet(true)) {
      return;
    }
    try (Arena once = Arena.ofConfined()) {
      new Libc(once).write(wakeUp, once.allocateFrom(JAVA_LONG, 1));
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    release();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void release() {
    libc.close(wakeUp);
    socket.close();
    arena.close();
  }
}
