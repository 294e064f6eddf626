package io.flannelvlan.firewall;

import io.flannelvlan.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The host's port space, in which published ports are held by bound sockets: a program of the host
 * that wants the same port is told so, and we are told if it came first.
 *
 * <p>In the network namespace of the calling thread. Blocking (microseconds); one thread only.
 */
public final class HostPorts {

  static final IpAddress ANY = IpAddress.parse("0.0.0.0");

  private static final Path EPHEMERAL = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

  private final Set<PortHold> holds = new LinkedHashSet<>();

  /**
   * Takes the first free port that the request allows.
   *
   * @throws FirewallException if there is none, naming protocol, address, port and the holder's
   *     kind, or if the address is not one of this host
   */
  public PortHold hold(PortRequest request) {
    return request.isEphemeral() ? holdEphemeral(request) : holdOneOf(request);
  }

  private PortHold holdOneOf(PortRequest request) {
    String reason = "";
    for (int port = request.first(); port <= request.last(); port++) {
      Optional<PortHold> other = collision(request, port);
      if (other.isPresent()) {
        reason = "port " + port + " is already published (" + other.get() + ")";
        continue;
      }
      try {
        return new PortHold(request, port, bind(request, port), holds);
      } catch (BindException refusal) {
        reason = explain(refusal, request, port);
      }
    }
    throw new FirewallException("publish at " + request + ": " + reason);
  }

  private PortHold holdEphemeral(PortRequest request) {
    if (request.protocol() == Protocol.SCTP) {
      return holdOneOf(ephemeralRange(request));
    }
    try {
      NetworkChannel socket = bind(request, 0).orElseThrow();
      return new PortHold(request, portOf(socket), Optional.of(socket), holds);
    } catch (BindException refusal) {
      throw new FirewallException(
          "publish at " + request + ": " + explain(refusal, request, 0), refusal);
    }
  }

  private Optional<PortHold> collision(PortRequest request, int port) {
    return holds.stream().filter(hold -> hold.collidesWith(request, port)).findFirst();
  }

  /**
   * A bound socket that never listens nor reads. TCP binds with SO_REUSEADDR, for a port in which a
   * former program's connections still wait out their minute (TIME_WAIT) is free. Once bound it has
   * it no more: two sockets with it would share the port, and neither side would notice the other.
   * Without, who comes later is refused, at the latest when he listens.
   *
   * <p>SCTP has no socket in the JDK without libsctp: there only our own table decides.
   */
  private static Optional<NetworkChannel> bind(PortRequest request, int port) throws BindException {
    return switch (request.protocol()) {
      case TCP -> Optional.of(exclusive(bound(openTcp(), request, port)));
      case UDP -> Optional.of(bound(openUdp(), request, port));
      case SCTP -> Optional.empty();
    };
  }

  private static NetworkChannel openTcp() {
    try {
      return SocketChannel.open(StandardProtocolFamily.INET)
          .setOption(StandardSocketOptions.SO_REUSEADDR, true);
    } catch (IOException failure) {
      throw new FirewallException("open a TCP socket: " + failure.getMessage(), failure);
    }
  }

  private static NetworkChannel exclusive(NetworkChannel socket) {
    try {
      return socket.setOption(StandardSocketOptions.SO_REUSEADDR, false);
    } catch (IOException failure) {
      close(socket, failure);
      throw new FirewallException("hold a TCP port: " + failure.getMessage(), failure);
    }
  }

  /**
   * What is not translated (broadcasts) would queue up in it for ever: the least space there is.
   */
  private static DatagramChannel openUdp() {
    try {
      return DatagramChannel.open(StandardProtocolFamily.INET)
          .setOption(StandardSocketOptions.SO_REUSEADDR, false)
          .setOption(StandardSocketOptions.SO_RCVBUF, 1);
    } catch (IOException failure) {
      throw new FirewallException("open a UDP socket: " + failure.getMessage(), failure);
    }
  }

  private static NetworkChannel bound(NetworkChannel socket, PortRequest request, int port)
      throws BindException {
    try {
      byte[] address = request.hostAddress().orElse(ANY).bytes();
      return socket.bind(new InetSocketAddress(InetAddress.getByAddress(address), port));
    } catch (IOException refusal) {
      close(socket, refusal);
      if (refusal instanceof BindException expected) {
        throw expected;
      }
      throw new FirewallException("publish at " + request + ": " + refusal.getMessage(), refusal);
    }
  }

  private static void close(Channel socket, IOException refusal) {
    try {
      socket.close();
    } catch (IOException failure) {
      refusal.addSuppressed(failure);
    }
  }

  private static int portOf(NetworkChannel socket) {
    try {
      return ((InetSocketAddress) socket.getLocalAddress()).getPort();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The kernel's words, and what they mean here. */
  private static String explain(BindException refusal, PortRequest request, int port) {
    String words = String.valueOf(refusal.getMessage());
    if (words.startsWith("Address already in use")) {
      return "port " + port + " is taken by another program of this host: " + words;
    }
    if (words.startsWith("Cannot assign requested address")) {
      return request.hostAddress().orElse(ANY) + " is no address of this host: " + words;
    }
    return "port " + port + ": " + words;
  }

  private static PortRequest ephemeralRange(PortRequest request) {
    try {
      // Not readString: its first read is of one byte, and the kernel gives a number list only
      // once.
      String[] ends = Files.readAllLines(EPHEMERAL).getFirst().split("\\s+", -1);
      return new PortRequest(
          request.protocol(),
          request.hostAddress(),
          Integer.parseInt(ends[0]),
          Integer.parseInt(ends[1]));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  static boolean isPort(int number) {
    return number >= 1 && number <= 65535;
  }

  /** Empty for 0.0.0.0, which means the same as no address. */
  static Optional<IpAddress> specific(IpAddress hostAddress) {
    if (!hostAddress.isIpv4()) {
      throw new IllegalArgumentException(
          "publish at " + hostAddress + ": the VLANs are IPv4, so is where they publish");
    }
    return hostAddress.equals(ANY) ? Optional.empty() : Optional.of(hostAddress);
  }
}
