package io.flannelvlan.cni;

/**
 * A call that is not done, and why: one clear sentence for whoever reads the runtime's message.
 * Nothing may have been changed by a call that ends so, save for deletions.
 */
public final class CniException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The specification's well-known codes, and from 100 on our own. */
  public enum Code {
    INCOMPATIBLE_VERSION(1),
    UNSUPPORTED_FIELD(2),
    UNKNOWN_CONTAINER(3),
    INVALID_ENVIRONMENT(4),
    IO_FAILURE(5),
    UNDECODABLE(6),
    INVALID_CONFIGURATION(7),
    TRY_AGAIN_LATER(11),
    /** STATUS: an ADD would fail. */
    NOT_AVAILABLE(50),
    /** The request is understood and refused: a taken address, a full VLAN. */
    REFUSED(100),
    /** CHECK: it is not as it was made. */
    NOT_AS_ADDED(101),
    /** A fault of ours; the log has more. */
    FAILED(999);

    private final int number;

    Code(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  private final Code code;
  private final String sentence;

  public CniException(Code code, String sentence) {
    this.code = code;
    this.sentence = sentence;
  }

  public CniException(Code code, String sentence, Throwable cause) {
    super(cause);
    this.code = code;
    this.sentence = sentence;
  }

  public Code code() {
    return code;
  }

  @Override
  public String getMessage() {
    return sentence;
  }
}
