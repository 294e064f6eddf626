package io.flannelvlan.journal;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * One line of the file: eight hex digits of the CRC-32C of the rest, a blank, JSON, a line feed.
 *
 * <pre>
 * 5f2a9c0d {"put":{"address":{"vlan002/10.2.20.5":{…}}},"remove":{"pool":["10.2.0.0/16"]}}
 * </pre>
 */
final class JournalLine {

  private static final int DIGITS = 8;

  private JournalLine() {}

  static byte[] encode(byte[] json) {
    byte[] line = new byte[DIGITS + 1 + json.length + 1];
    byte[] digits = digits(json, 0, json.length);
    System.arraycopy(digits, 0, line, 0, DIGITS);
    line[DIGITS] = ' ';
    System.arraycopy(json, 0, line, DIGITS + 1, json.length);
    line[line.length - 1] = '\n';
    return line;
  }

  /** The JSON of the line without its line feed; empty if the checksum does not match. */
  static Optional<String> decode(byte[] line) {
    if (line.length < DIGITS + 1 || line[DIGITS] != ' ') {
      return Optional.empty();
    }
    int start = DIGITS + 1;
    String expected = new String(line, 0, DIGITS, StandardCharsets.US_ASCII);
    String actual = new String(digits(line, start, line.length - start), StandardCharsets.US_ASCII);
    return expected.equals(actual)
        ? Optional.of(new String(line, start, line.length - start, StandardCharsets.UTF_8))
        : Optional.empty();
  }

  private static byte[] digits(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return HexFormat.of().toHexDigits((int) crc.getValue()).getBytes(StandardCharsets.US_ASCII);
  }
}
