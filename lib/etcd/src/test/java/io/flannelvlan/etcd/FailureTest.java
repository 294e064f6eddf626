package io.flannelvlan.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.etcd.jetcd.common.exception.EtcdExceptionFactory;
import io.flannelvlan.etcd.EtcdException.Kind;
import io.grpc.Status;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;

class FailureTest {

  /** As gRPC tells a connection that ended while it was writing a request. */
  private static final Status CLOSED =
      Status.UNKNOWN.withDescription("channel closed").withCause(new ClosedChannelException());

  @Test
  void aConnectionThatEndedIsNoAnswerWhateverItsCode() {
    Failure ofCall = Failure.of(CLOSED.asRuntimeException());
    assertThat(ofCall.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(ofCall.words()).contains("channel closed");
    Failure ofWatch = Failure.of(EtcdExceptionFactory.toEtcdException(CLOSED));
    assertThat(ofWatch.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(ofWatch.words()).contains("channel closed");
    Status reset =
        Status.INTERNAL
            .withDescription("http2 exception")
            .withCause(new IOException("Connection reset by peer"));
    assertThat(Failure.of(reset.asRuntimeException()))
        .isEqualTo(new Failure(Kind.UNAVAILABLE, "http2 exception: Connection reset by peer"));
  }

  @Test
  void aClientThatWasClosedMeanwhileIsNoAnswer() {
    assertThat(Failure.of(EtcdExceptionFactory.newClosedWatchClientException()).kind())
        .isEqualTo(Kind.UNAVAILABLE);
  }

  @Test
  void whatEtcdItselfSaidIsAnAnswer() {
    Status unknown = Status.UNKNOWN.withDescription("etcdserver: too many operations");
    assertThat(Failure.of(unknown.asRuntimeException()).kind()).isEqualTo(Kind.OTHER);
    Status denied = Status.PERMISSION_DENIED.withDescription("etcdserver: permission denied");
    assertThat(Failure.of(denied.asRuntimeException()).kind()).isEqualTo(Kind.REFUSED);
  }
}
