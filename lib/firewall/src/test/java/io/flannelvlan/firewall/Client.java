package io.flannelvlan.firewall;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.FutureTask;

/** Asks an {@link EchoServer} from inside a namespace: the address it saw, or {@link #NOTHING}. */
final class Client {

  static final String NOTHING = "-";

  /** A lost SYN is repeated after 1 s, so more than that. */
  private static final int PATIENCE_MILLIS = 2500;

  private Client() {}

  static FutureTask<String> tcp(Netns from, String address, int port) {
    return from.start(() -> {
      try (Socket socket = new Socket()) {
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(
            new InetSocketAddress(InetAddress.ofLiteral(address), port), PATIENCE_MILLIS);
        String seen = read(socket);
        return seen.isEmpty() ? NOTHING : seen;
      } catch (IOException _) {
        return NOTHING;
      }
    });
  }

  private static String read(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
  }

  static FutureTask<String> udp(Netns from, String address, int port) {
    return from.start(() -> {
      try (DatagramSocket socket = new DatagramSocket()) {
        return ask(socket, new InetSocketAddress(InetAddress.ofLiteral(address), port));
      }
    });
  }

  /** From a given socket, so that several questions are one flow. */
  static String ask(DatagramSocket socket, InetSocketAddress server) throws IOException {
    socket.setSoTimeout(PATIENCE_MILLIS / 5);
    DatagramPacket reply = new DatagramPacket(new byte[100], 100);
    for (int attempt = 0; attempt < 5; attempt++) {
      try {
        socket.send(new DatagramPacket(new byte[1], 1, server));
        socket.receive(reply);
        return new String(reply.getData(), 0, reply.getLength(), StandardCharsets.US_ASCII);
      } catch (SocketTimeoutException _) {
        // Once more.
      } catch (IOException _) {
        return NOTHING;
      }
    }
    return NOTHING;
  }

  /** As root, the JDK sends an ICMP echo and nothing else. */
  static FutureTask<String> ping(Netns from, String address) {
    return from.start(() -> {
      try {
        boolean answered = InetAddress.ofLiteral(address).isReachable(PATIENCE_MILLIS);
        return answered ? "answered" : NOTHING;
      } catch (IOException _) {
        return NOTHING;
      }
    });
  }
}
