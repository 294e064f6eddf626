package io.flannelvlan.tests.cni;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What a kubelet asks of a container runtime, as far as pods with one container need it. Messages
 * are fields by their numbers, of <a
 * href="https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto">CRI
 * v1</a>.
 */
final class Cri implements AutoCloseable {

  private static final long DEADLINE_SECONDS = 60;

  private static final MethodDescriptor.Marshaller<UnknownFieldSet> MESSAGES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(UnknownFieldSet message) {
          return message.toByteString().newInput();
        }

        @Override
        public UnknownFieldSet parse(InputStream stream) {
          try {
            return UnknownFieldSet.parseFrom(stream);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final ManagedChannel channel;
  private final String cgroupParent;

  Cri(Path socket, String cgroupParent) {
    this.cgroupParent = cgroupParent;
    this.channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .overrideAuthority("localhost")
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(loops)
            .usePlaintext()
            .build();
  }

  /**
   * RunPodSandbox; its id.
   *
   * @param ports of the host, and which of the pod's each leads to
   */
  String runPod(String name, Map<String, String> annotations, Map<Integer, Integer> ports) {
    Message config = pod(name, annotations);
    ports.forEach((host, pod) -> config.with(5, message().with(2, pod).with(3, host)));
    return text(call("RunPodSandbox", message().with(1, config)), 1);
  }

  /** CreateContainer and StartContainer: the sandbox's own serves, this one sleeps; its id. */
  String runContainer(String pod, String name, String image, Map<String, String> annotations) {
    Message config =
        message()
            .with(1, message().with(1, name))
            .with(2, message().with(1, image))
            .with(3, "/bin/sleep")
            .with(3, "3600");
    Message container = message().with(1, pod).with(2, config).with(3, pod(name, annotations));
    String id = text(call("CreateContainer", container), 1);
    call("StartContainer", message().with(1, id));
    return id;
  }

  /** PodSandboxStatus: the address that the runtime tells the kubelet. */
  String address(String pod) {
    UnknownFieldSet status = message(call("PodSandboxStatus", message().with(1, pod)), 1);
    return text(message(status, 5), 1);
  }

  /** StopPodSandbox and RemovePodSandbox, with its containers. */
  void removePod(String pod) {
    call("StopPodSandbox", message().with(1, pod));
    call("RemovePodSandbox", message().with(1, pod));
  }

  private Message pod(String name, Map<String, String> annotations) {
    Message metadata = message().with(1, name).with(2, "uid-" + name).with(3, "default");
    Message config = message().with(1, metadata).with(2, name).with(4, message());
    annotations.forEach((key, value) -> config.with(7, message().with(1, key).with(2, value)));
    return config.with(8, message().with(1, cgroupParent));
  }

  private UnknownFieldSet call(String method, Message request) {
    MethodDescriptor<UnknownFieldSet, UnknownFieldSet> descriptor =
        MethodDescriptor.newBuilder(MESSAGES, MESSAGES)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("runtime.v1.RuntimeService/" + method)
            .build();
    return ClientCalls.blockingUnaryCall(
        channel,
        descriptor,
        CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS),
        request.build());
  }

  private static String text(UnknownFieldSet message, int field) {
    return message.getField(field).getLengthDelimitedList().getFirst().toStringUtf8();
  }

  private static UnknownFieldSet message(UnknownFieldSet message, int field) {
    try {
      return UnknownFieldSet.parseFrom(message.getField(field).getLengthDelimitedList().getFirst());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Message message() {
    return new Message(UnknownFieldSet.newBuilder());
  }

  /** One that is being written. */
  private record Message(UnknownFieldSet.Builder fields) {

    Message with(int number, String text) {
      return with(number, ByteString.copyFromUtf8(text));
    }

    Message with(int number, int value) {
      fields.mergeField(number, Field.newBuilder().addVarint(value).build());
      return this;
    }

    Message with(int number, Message inner) {
      return with(number, inner.build().toByteString());
    }

    private Message with(int number, ByteString bytes) {
      fields.mergeField(number, Field.newBuilder().addLengthDelimited(bytes).build());
      return this;
    }

    UnknownFieldSet build() {
      return fields.build();
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
