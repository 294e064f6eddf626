package io.flannelvlan.tests.lab;

/** What became of one run of a tool. */
public record Result(String command, int exit, String out, String err) {
  public boolean ok() {
    return exit == 0;
  }

  /** The output without the last line's end. */
  public String text() {
    return out.strip();
  }

  /** This result, or the tool's own words as an exception. */
  public Result orThrow() {
    if (!ok()) {
      throw new LabException(this.toString());
    }
    return this;
  }

  @Override
  public String toString() {
    return "`" + command + "` ended with " + exit + "\n" + out + err;
  }
}
