package io.flannelvlan.firewall;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** Receives datagrams that nobody answers. */
final class Sink implements AutoCloseable {

  static final int PORT = 9000;

  private final DatagramSocket socket;

  private Sink(DatagramSocket socket) {
    this.socket = socket;
  }

  static Sink open(Netns namespace) {
    return new Sink(
        namespace.in(() -> {
          DatagramSocket socket = new DatagramSocket(new InetSocketAddress("0.0.0.0", PORT));
          socket.setSoTimeout(3000);
          return socket;
        }));
  }

  /**
   * The first datagram that comes. Send first what should be lost, then what should arrive: both
   * take one way, so what comes first tells.
   */
  String next() {
    try {
      DatagramPacket packet = new DatagramPacket(new byte[100], 100);
      socket.receive(packet);
      return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
