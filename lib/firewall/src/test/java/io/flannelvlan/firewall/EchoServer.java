package io.flannelvlan.firewall;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** Tells each client, on TCP and UDP, which address it sees as the client's. */
final class EchoServer implements AutoCloseable {

  static final int PORT = 7;

  private final ServerSocket tcp;
  private final DatagramSocket udp;

  private EchoServer(ServerSocket tcp, DatagramSocket udp) {
    this.tcp = tcp;
    this.udp = udp;
  }

  static EchoServer start(Netns namespace) {
    return startAt(namespace, "0.0.0.0", PORT);
  }

  static EchoServer startAt(Netns namespace, String address, int port) {
    EchoServer server =
        namespace.in(() -> {
          InetSocketAddress local = new InetSocketAddress(InetAddress.ofLiteral(address), port);
          return new EchoServer(
              new ServerSocket(port, 200, local.getAddress()), new DatagramSocket(local));
        });
    Thread.ofPlatform().daemon(true).start(server::serveTcp);
    Thread.ofPlatform().daemon(true).start(server::serveUdp);
    return server;
  }

  private void serveTcp() {
    try {
      while (true) {
        try (Socket client = tcp.accept();
            OutputStream out = client.getOutputStream()) {
          out.write(bytes(client.getInetAddress()));
        }
      }
    } catch (IOException failure) {
      stopped(failure);
    }
  }

  private void serveUdp() {
    DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
    try {
      while (true) {
        udp.receive(packet);
        byte[] reply = bytes(packet.getAddress());
        udp.send(new DatagramPacket(reply, reply.length, packet.getSocketAddress()));
      }
    } catch (IOException failure) {
      stopped(failure);
    }
  }

  private void stopped(IOException failure) {
    if (!(failure instanceof SocketException) || !tcp.isClosed()) {
      throw new UncheckedIOException(failure);
    }
  }

  private static byte[] bytes(InetAddress address) {
    return address.getHostAddress().getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    try {
      tcp.close();
      udp.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
