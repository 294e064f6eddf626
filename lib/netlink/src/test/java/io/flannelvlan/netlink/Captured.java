package io.flannelvlan.netlink;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/**
 * Datagrams that the real iproute2 exchanged with a real kernel, taken down by strace. Each file
 * names the command; blank lines stand between datagrams.
 */
final class Captured {

  /** Every file with what the kernel said. */
  static final List<String> ANSWERS =
      List.of("links", "addresses", "neighbors", "fdb", "routes", "routes-v6", "duplicate-vni");

  private Captured() {}

  static List<ByteBuffer> datagrams(String name) {
    List<ByteBuffer> datagrams = new ArrayList<>();
    for (String block : read(name).split("\n\n", -1)) {
      String hex = block.replaceAll("(?m)^#.*$", "").replaceAll("\\s", "");
      if (!hex.isEmpty()) {
        datagrams.add(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
      }
    }
    return datagrams;
  }

  static List<Message> messages(String name) {
    return datagrams(name).stream().flatMap(bytes -> Message.parse(bytes).stream()).toList();
  }

  static List<Message> messages(String name, int type) {
    return messages(name).stream().filter(message -> message.type() == type).toList();
  }

  private static String read(String name) {
    String path = "captured/" + name + ".hex";
    try (InputStream in = Captured.class.getResourceAsStream(path)) {
      return new String(Objects.requireNonNull(in, path).readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
