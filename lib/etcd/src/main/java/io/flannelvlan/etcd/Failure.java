package io.flannelvlan.etcd;

import io.etcd.jetcd.common.exception.ClosedClientException;
import io.etcd.jetcd.common.exception.CompactedException;
import io.flannelvlan.etcd.EtcdException.Kind;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateExpiredException;
import java.security.cert.PKIXReason;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the client library threw, read once: the kind, etcd's own words, and whether another try is
 * safe.
 */
record Failure(Kind kind, String words) {

  /** Two authorities of one name differ in their keys alone. */
  private static final Set<CertPathValidatorException.Reason> FOREIGN =
      Set.of(PKIXReason.NO_TRUST_ANCHOR, BasicReason.INVALID_SIGNATURE);

  static Failure of(Throwable thrown) {
    Failure failure = asTold(thrown);
    return failure.kind() == Kind.OTHER && isOfTheConnection(thrown)
        ? new Failure(Kind.UNAVAILABLE, failure.words())
        : failure;
  }

  /**
   * True if it was this end that gave up: no etcd answered. gRPC calls some of these UNKNOWN
   * ("channel closed", when the connection ends between two of its steps), as etcd does its own
   * errors.
   */
  private static boolean isOfTheConnection(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof IOException || t instanceof ClosedClientException) {
        return true;
      }
    }
    return false;
  }

  private static Failure asTold(Throwable thrown) {
    // A failed login hides what happened one level deeper, behind a status of its own.
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof CompactedException) {
        return new Failure(Kind.COMPACTED, words(t.getMessage(), t));
      }
      Status status = status(t);
      if (status != null && !(status.getDescription() == null && status.getCause() != null)) {
        return of(status);
      }
      if (t instanceof io.etcd.jetcd.common.exception.EtcdException e && e.getCause() == null) {
        Status.Code code = Status.Code.valueOf(e.getErrorCode().name());
        return of(code.toStatus().withDescription(e.getMessage()));
      }
    }
    return new Failure(Kind.OTHER, words(thrown.getMessage(), thrown));
  }

  /** True if etcd certainly did not act, and may do so when asked again in a moment. */
  boolean refusedBeforeActing() {
    return words.contains("no leader") || isStaleToken();
  }

  /** True if a member is there but the cluster is busy with itself, such as an election. */
  boolean isBetweenLeaders() {
    return words.contains("leader");
  }

  boolean isStaleToken() {
    return words.contains("invalid auth token") || words.contains("auth store is old");
  }

  private static Failure of(Status status) {
    String words = words(status.getDescription(), status.getCause());
    return new Failure(kind(status.getCode(), words.toLowerCase(Locale.ROOT)), words);
  }

  private static Kind kind(Status.Code code, String words) {
    if (words.contains("compacted")) {
      return Kind.COMPACTED;
    }
    if (words.contains("auth")
        || words.contains("permission denied")
        || words.contains("user name is empty")) {
      return code == Status.Code.UNAVAILABLE ? Kind.UNAVAILABLE : Kind.REFUSED;
    }
    return switch (code) {
      case UNAVAILABLE -> Kind.UNAVAILABLE;
      case DEADLINE_EXCEEDED -> Kind.TIMEOUT;
      case PERMISSION_DENIED, UNAUTHENTICATED -> Kind.REFUSED;
      case OK,
          CANCELLED,
          UNKNOWN,
          INVALID_ARGUMENT,
          NOT_FOUND,
          ALREADY_EXISTS,
          RESOURCE_EXHAUSTED,
          FAILED_PRECONDITION,
          ABORTED,
          OUT_OF_RANGE,
          UNIMPLEMENTED,
          INTERNAL,
          DATA_LOSS ->
          Kind.OTHER;
    };
  }

  private static @Nullable Status status(Throwable t) {
    return switch (t) {
      case StatusRuntimeException e -> e.getStatus();
      case StatusException e -> e.getStatus();
      default -> null;
    };
  }

  /** "io exception" alone helps nobody; the cause says "Connection refused: /127.0.0.1:2379". */
  private static String words(@Nullable String said, @Nullable Throwable cause) {
    // gRPC appends Netty's pipeline on a line of its own.
    String words = said == null ? "" : said.lines().findFirst().orElse("").strip();
    Throwable root = cause;
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    if (root instanceof CertificateExpiredException) {
      // The JDK says "NotAfter: ..." and no more.
      return "the certificate that etcd shows has expired (" + root.getMessage() + ")";
    }
    if (root instanceof CertPathValidatorException path && FOREIGN.contains(path.getReason())) {
      return "the certificate that etcd shows is of another authority than ours ("
          + root.getMessage()
          + ")";
    }
    if (root != null && root.getMessage() != null && !words.contains(root.getMessage())) {
      return words.isEmpty() ? root.getMessage() : words + ": " + root.getMessage();
    }
    return words.isEmpty() && root != null ? root.toString() : words;
  }
}
