package io.flannelvlan.netlink;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One rtnetlink conversation: requests with sequence numbers, verdicts matched to them, dumps that
 * are repeated when the kernel says that they are inconsistent.
 *
 * <p>Not thread-safe: one platform thread owns it. The kernel does the work inside {@code send}, so
 * a call lasts as long as others hold the kernel's lock; the receive timeout only guards against an
 * answer that was lost.
 */
final class NetlinkSocket implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(NetlinkSocket.class);

  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);

  /** Under constant change a dump may never be consistent; then say so instead of going on. */
  private static final int DUMP_TRIES = 20;

  /** Verdicts queue up while a send runs; with up to 2 KiB each so many fit the smallest queue. */
  private static final int REQUESTS_PER_SEND = 100;

  private final Socket socket;
  private int sequence;
  private int interruptions;

  private NetlinkSocket(Socket socket) {
    this.socket = socket;
    socket.enable(Libc.NETLINK_EXT_ACK);
    socket.enable(Libc.NETLINK_CAP_ACK);
    // Before Linux 4.20 the kernel sends unfiltered dumps; Rtnl filters what it gets anyway.
    socket.enable(Libc.NETLINK_GET_STRICT_CHK);
    socket.receiveTimeout(ANSWER_TIMEOUT);
  }

  /** Opens a socket in the process' own namespace. */
  static NetlinkSocket open() {
    return new NetlinkSocket(Socket.open(Libc.NETLINK_ROUTE));
  }

  /** Opens a socket in the namespace with this file. */
  static NetlinkSocket openIn(Path namespace) {
    try (Namespace open = Namespace.open(namespace)) {
      return new NetlinkSocket(open.call(() -> Socket.open(Libc.NETLINK_ROUTE)));
    }
  }

  /**
   * Sends all requests, as many at once as fit, and collects the verdicts in the same order. The
   * requests are independent: one that fails stops none behind it.
   */
  List<Reply> batch(List<Request> requests) {
    List<Reply> replies = sendAll(requests);
    List<Integer> places = new ArrayList<>();
    List<Request> followUps = new ArrayList<>();
    for (int i = 0; i < replies.size(); i++) {
      Optional<Request> followUp = requests.get(i).followUp();
      if (replies.get(i).failure().isEmpty() && followUp.isPresent()) {
        places.add(i);
        followUps.add(followUp.get());
      }
    }
    List<Reply> second = sendAll(followUps);
    for (int i = 0; i < second.size(); i++) {
      int place = places.get(i);
      replies.set(place, new Reply(requests.get(place), second.get(i).failure()));
    }
    return replies;
  }

  private List<Reply> sendAll(List<Request> requests) {
    List<Reply> replies = new ArrayList<>();
    ByteBuffer out = socket.sendBuffer();
    int first = 0;
    for (int i = 0; i < requests.size(); i++) {
      Message message = requests.get(i).message(sequence + 1 + i - first);
      if (message.size() > out.remaining() || i - first == REQUESTS_PER_SEND) {
        replies.addAll(exchange(out, requests.subList(first, i)));
        first = i;
        out = socket.sendBuffer();
        message = requests.get(i).message(sequence + 1);
      }
      message.writeTo(out);
    }
    if (first < requests.size()) {
      replies.addAll(exchange(out, requests.subList(first, requests.size())));
    }
    return replies;
  }

  /** Sends one buffer of requests, whose numbers follow on {@link #sequence}. */
  private List<Reply> exchange(ByteBuffer out, List<Request> requests) {
    int base = sequence + 1;
    sequence += requests.size();
    socket.send(out, requests.getFirst().toString());
    Verdicts verdicts = new Verdicts(requests, base);
    int flags = 0;
    while (verdicts.missing() > 0) {
      try {
        String operation = requests.getFirst().toString();
        Message.parse(socket.receive(flags, operation)).forEach(verdicts::take);
      } catch (NetlinkException failure) {
        if (failure.errno() != Errno.ENOBUFS || flags != 0) {
          int number =
              failure.errno() == Errno.EAGAIN ? Errno.ETIMEDOUT.number() : failure.number();
          verdicts.fillMissing(number);
        }
        // Verdicts were lost. All that is not lost is queued already, so do not wait any more.
        flags = Libc.MSG_DONTWAIT;
      }
    }
    return verdicts.replies();
  }

  /**
   * Asks for a list and reads every entry with {@code decode}, which sees views of a buffer and
   * must copy what it keeps. The only place that dumps.
   *
   * @throws NetlinkException EBUSY if no try gave a consistent list
   */
  <T> List<T> dump(int type, ByteBuffer body, Function<Message, Optional<T>> decode) {
    for (int tries = 1; tries <= DUMP_TRIES; tries++) {
      List<T> entries = new ArrayList<>();
      if (dumpOnce(type, body, message -> decode.apply(message).ifPresent(entries::add))) {
        return entries;
      }
      interruptions++;
      log.debug("{}: interrupted by a change, try {}", listing(type), tries);
    }
    throw NetlinkException.of(
        listing(type), Errno.EBUSY.number(), "interrupted by changes " + DUMP_TRIES + " times");
  }

  /** How often a dump had to be begun again. */
  int interruptions() {
    return interruptions;
  }

  /** Returns false if the kernel marked the dump as interrupted by a change. */
  private boolean dumpOnce(int type, ByteBuffer body, Consumer<Message> each) {
    String operation = listing(type);
    int expected = send(type, Message.DUMP, body, operation);
    boolean consistent = true;
    while (true) {
      for (Message message : Message.parse(receive(operation))) {
        if (message.sequence() != expected) {
          continue;
        }
        consistent &= (message.flags() & Message.DUMP_INTERRUPTED) == 0;
        if (message.type() == Message.DONE || message.type() == Message.ERROR) {
          throwIfRefused(message, operation);
          return consistent;
        }
        if (message.type() != Message.NOOP && consistent) {
          each.accept(message);
        }
      }
    }
  }

  private static String listing(int type) {
    return switch (type) {
      case Message.GETLINK -> "ip link show";
      case Message.GETADDR -> "ip address show";
      case Message.GETROUTE -> "ip route show";
      default -> "ip neigh show";
    };
  }

  /** Asks for one object, which the kernel answers with one message, or an error. */
  Message get(int type, ByteBuffer body, String operation) {
    int expected = send(type, 0, body, operation);
    while (true) {
      for (Message message : Message.parse(receive(operation))) {
        if (message.sequence() != expected) {
          continue;
        }
        if (message.type() == Message.ERROR) {
          throwIfRefused(message, operation);
        } else {
          return message;
        }
      }
    }
  }

  private int send(int type, int flags, ByteBuffer body, String operation) {
    sequence++;
    ByteBuffer out = socket.sendBuffer();
    new Message(type, Message.REQUEST | flags, sequence, 0, body).writeTo(out);
    socket.send(out, operation);
    return sequence;
  }

  private ByteBuffer receive(String operation) {
    try {
      return socket.receive(0, operation);
    } catch (NetlinkException failure) {
      throw failure.errno() == Errno.EAGAIN
          ? NetlinkException.of(operation, Errno.ETIMEDOUT.number(), "the kernel did not answer")
          : failure;
    }
  }

  private static void throwIfRefused(Message message, String operation) {
    Acknowledgement verdict = Acknowledgement.read(message);
    if (verdict.error() != 0) {
      throw NetlinkException.of(operation, verdict.error(), verdict.text());
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
