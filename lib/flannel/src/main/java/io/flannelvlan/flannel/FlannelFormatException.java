package io.flannelvlan.flannel;

/** A value in etcd that flannel would refuse, or that only another kind of agent understands. */
public final class FlannelFormatException extends RuntimeException {

  private static final long serialVersionUID = 1;

  FlannelFormatException(String key, String fault) {
    super(key + ": " + fault);
  }

  FlannelFormatException(String key, String fault, Throwable cause) {
    super(key + ": " + fault, cause);
  }
}
