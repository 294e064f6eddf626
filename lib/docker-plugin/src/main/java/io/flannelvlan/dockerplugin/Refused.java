package io.flannelvlan.dockerplugin;

/**
 * A call that is not done, and why: one clear sentence to the user, with what, which object and
 * what to do.
 *
 * <p>The sentence reaches the user's terminal as it is. Nothing may have been changed by a call
 * that ends so.
 */
public final class Refused extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String sentence;

  public Refused(String sentence) {
    this.sentence = sentence;
  }

  public Refused(String sentence, Throwable cause) {
    super(cause);
    this.sentence = sentence;
  }

  @Override
  public String getMessage() {
    return sentence;
  }
}
