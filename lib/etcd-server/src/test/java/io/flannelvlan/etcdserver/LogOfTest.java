package io.flannelvlan.etcdserver;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What is logged meanwhile: slf4j-simple asks for System.err at each line. */
final class LogOfTest implements AutoCloseable {

  private final PrintStream before = System.err;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  LogOfTest() {
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
  }

  List<String> errors() {
    return written
        .toString(StandardCharsets.UTF_8)
        .lines()
        .filter(l -> l.contains("ERROR"))
        .toList();
  }

  @Override
  public void close() {
    System.setErr(before);
    before.print(written.toString(StandardCharsets.UTF_8));
  }
}
