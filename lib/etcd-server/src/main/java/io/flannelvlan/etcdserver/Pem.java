package io.flannelvlan.etcdserver;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** The text form of certificates and keys (RFC 7468). */
final class Pem {

  static final String CERTIFICATE = "CERTIFICATE";
  static final String PRIVATE_KEY = "PRIVATE KEY";

  private static final int LINE = 64;

  private Pem() {}

  static String of(String label, byte[] der) {
    byte[] newline = "\n".getBytes(StandardCharsets.US_ASCII);
    return begin(label)
        + Base64.getMimeEncoder(LINE, newline).encodeToString(der)
        + "\n-----END "
        + label
        + "-----\n";
  }

  static String begin(String label) {
    return "-----BEGIN " + label + "-----\n";
  }
}
