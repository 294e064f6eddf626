package io.flannelvlan.driver;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** An id made of names: the same for the same names, whatever was forgotten since. */
final class Digest {

  private Digest() {}

  /** 64 hexadecimal digits. */
  static String of(String... names) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      // No name holds a zero byte.
      return HexFormat.of()
          .formatHex(sha.digest(String.join("\0", names).getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
