package io.flannelvlan.dockerplugin;

/** A body that says nothing: no JSON, wrong types, a member that is missing or no valid value. */
final class Malformed extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The sender's own text is part of the sentence and may be as long as a body. */
  private static final int LONGEST = 300;

  private final String sentence;

  Malformed(String sentence) {
    this.sentence = oneLine(sentence);
  }

  @Override
  public String getMessage() {
    return sentence;
  }

  /** The sentence as a peer's text allows it: printable and of bounded length. */
  static String oneLine(String sentence) {
    String line = sentence.replaceAll("\\p{Cntrl}", "\uFFFD");
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
  }
}
