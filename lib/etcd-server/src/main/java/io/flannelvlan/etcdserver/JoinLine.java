package io.flannelvlan.etcdserver;

import io.flannelvlan.etcd.EtcdSettings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/**
 * All that another host needs to use this one's etcd, as one line: whoever has it may read and
 * write everything there.
 *
 * <p>{@code flannelvlan-join-1.} and then, in base64url, the zlib form (RFC 1950, whose checksum
 * finds a line that was cut or changed) of etcd's URL, a newline, and three PEM blocks: the
 * authority, the client's certificate, its key.
 */
public final class JoinLine {

  private static final String PREFIX = "flannelvlan-join-1.";

  /** A line of ours is about 1.5 kB; nothing much larger is unpacked. */
  private static final int LONGEST = 64 << 10;

  private static final String BLOCK = "-----BEGIN %1$s-----\n[A-Za-z0-9+/=\n]+-----END %1$s-----\n";
  private static final Pattern CONTENT =
      Pattern.compile(
          "(https://\\S+)\n(%s)(%s)(%s)"
              .formatted(
                  BLOCK.formatted(Pem.CERTIFICATE),
                  BLOCK.formatted(Pem.CERTIFICATE),
                  BLOCK.formatted(Pem.PRIVATE_KEY)));

  private final URI endpoint;
  private final Credentials credentials;

  JoinLine(URI endpoint, Credentials credentials) {
    this.endpoint = endpoint;
    this.credentials = credentials;
  }

  /**
   * Reads a line.
   *
   * @throws IllegalArgumentException saying what is wrong with it, and what to do
   */
  public static JoinLine parse(String line) {
    if (!line.startsWith(PREFIX)) {
      throw new IllegalArgumentException(
          "it does not begin with " + PREFIX + "; give the line in STATE_DIR/join of another host");
    }
    Matcher content = CONTENT.matcher(unpack(line.substring(PREFIX.length())));
    if (!content.matches()) {
      throw new IllegalArgumentException("it holds something else than a line of STATE_DIR/join");
    }
    return new JoinLine(
        URI.create(content.group(1)),
        new Credentials(content.group(2), content.group(3), content.group(4)));
  }

  /** Where the other host's etcd is. */
  public URI endpoint() {
    return endpoint;
  }

  /**
   * How to use that etcd; the certificates are put into this directory, if they are not there yet.
   *
   * @throws UncheckedIOException if they can't be, saying why
   */
  public EtcdSettings settings(Path directory) {
    try {
      credentials.write(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "can't write the certificates of JOIN, " + Trouble.reason(e), e);
    }
    return Credentials.settings(directory, endpoint);
  }

  private static String unpack(String text) {
    try (InflaterInputStream in =
        new InflaterInputStream(new ByteArrayInputStream(Base64.getUrlDecoder().decode(text)))) {
      return new String(in.readNBytes(LONGEST), StandardCharsets.UTF_8);
    } catch (IOException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "it is cut or changed; give the whole line of STATE_DIR/join", e);
    }
  }

  @Override
  public String toString() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DeflaterOutputStream out = new DeflaterOutputStream(bytes)) {
      String content =
          endpoint + "\n" + credentials.ca() + credentials.certificate() + credentials.key();
      out.write(content.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.toByteArray());
  }
}
