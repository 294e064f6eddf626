package io.flannelvlan.dockerplugin;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One peer: its calls are done one after the other, on a virtual thread that lives as long as the
 * connection.
 *
 * <p>Netty's thread decodes and hands over all that one read brought at once, and reads no further
 * than it is asked to: what a peer sends beyond that waits in the kernel. So a peer that has said
 * all and ends its own side gets its answer; one that ends within a call gets none, since the
 * channel is closed when that is read.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {

  private static final Logger log = LoggerFactory.getLogger(HttpConnection.class);

  private sealed interface Part {}

  private record Head(HttpRequest request) implements Part {}

  private record Piece(ByteBuffer bytes, boolean last) implements Part {}

  /** Nothing comes any more. */
  private record End(String why) implements Part {}

  /** For the next piece of a call that has begun: others wait for it, as may the end. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /**
   * What is not read when its connection is closed resets it: so much is read for that, in bytes.
   */
  private static final int MOST_READ_FOR_NOTHING = 64 << 10;

  private final HttpAnswers answers;
  private final InFlight inFlight;
  private final Duration idle;

  /** What the read that is under way brought so far; Netty's thread's alone. */
  private List<Part> decoded = new ArrayList<>();

  private final BlockingQueue<List<Part>> handedOver = new LinkedBlockingQueue<>();

  /** What was handed over and is still to be taken; the call thread's alone. */
  private final Deque<Part> parts = new ArrayDeque<>();

  /**
   * A connection that is not open yet.
   *
   * @param idle after which a peer that sends nothing, or no more, is given up
   */
  HttpConnection(HttpAnswers answers, InFlight inFlight, Duration idle) {
    this.answers = answers;
    this.inFlight = inFlight;
    this.idle = idle;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    Channel channel = context.channel();
    Thread.ofVirtual().name("call").start(() -> serve(channel));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      // What can't be read at all is both.
      if (message instanceof HttpRequest request) {
        decoded.add(new Head(request));
      }
      if (message instanceof HttpContent content) {
        decoded.add(
            content.decoderResult().isFailure()
                ? new End(reason(content.decoderResult()))
                : new Piece(
                    ByteBuffer.wrap(ByteBufUtil.getBytes(content.content())),
                    content instanceof LastHttpContent));
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    handOver();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    decoded.add(new End("the connection is closed"));
    handOver();
  }

  private void handOver() {
    if (!decoded.isEmpty()) {
      handedOver.add(decoded);
      decoded = new ArrayList<>();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    log.debug("a connection failed", cause);
    var _ = context.close();
  }

  private void serve(Channel channel) {
    try {
      boolean goesOn = true;
      while (goesOn) {
        goesOn = take(channel, idle) instanceof Head head && serve(channel, head.request());
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (RejectedExecutionException _) {
      // The server has stopped meanwhile.
    } catch (RuntimeException e) {
      log.error("a connection ends by a bug", e);
    } finally {
      var _ = channel.close();
    }
  }

  /** The next thing that comes, or the end if none does. */
  private Part take(Channel channel, Duration patience) throws InterruptedException {
    if (parts.isEmpty()) {
      List<Part> more = handedOver.poll();
      if (more == null) {
        channel.read();
        more = handedOver.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
      }
      parts.addAll(more == null ? List.of(new End("nothing came for " + patience)) : more);
    }
    return parts.remove();
  }

  /** Answers one call; whether another may come. */
  private boolean serve(Channel channel, HttpRequest request) throws InterruptedException {
    inFlight.enter();
    try {
      Incoming body = new Incoming(channel, request);
      boolean isSane = request.decoderResult().isSuccess();
      HttpAnswer answer = isSane ? answer(request, body) : refusal(request.decoderResult());
      boolean goesOn =
          isSane && HttpUtil.isKeepAlive(request) && !inFlight.isStopping() && !body.isLost();
      boolean isWritten = channel.writeAndFlush(response(answer, goesOn)).await().isSuccess();
      boolean isEnded = isWritten && (goesOn || body.isShort()) && body.skip();
      return goesOn && isEnded;
    } finally {
      inFlight.leave();
    }
  }

  private HttpAnswer answer(HttpRequest request, Incoming body) {
    if (request.protocolVersion().majorVersion() != 1) {
      return answers.refusal(
          HttpResponseStatus.HTTP_VERSION_NOT_SUPPORTED.code(),
          request.protocolVersion() + " is not spoken here");
    }
    HttpCall call;
    try {
      QueryStringDecoder uri = new QueryStringDecoder(request.uri());
      String path = uri.path();
      call =
          new HttpCall(
              request.method().name(),
              path.startsWith("/") ? path.substring(1) : path,
              uri.parameters(),
              body);
    } catch (IllegalArgumentException e) {
      return answers.refusal(Reply.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
    try {
      return answers.answer(call);
    } catch (RuntimeException e) {
      log.error("{} /{} failed by a bug", call.method(), call.path(), e);
      return answers.refusal(Reply.FAILED, "internal error in flannelvlan: " + e);
    }
  }

  private HttpAnswer refusal(DecoderResult result) {
    HttpResponseStatus status =
        switch (result.cause()) {
          case TooLongHttpLineException _ -> HttpResponseStatus.REQUEST_URI_TOO_LONG;
          case TooLongHttpHeaderException _ -> HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE;
          case null, default -> HttpResponseStatus.BAD_REQUEST;
        };
    return answers.refusal(status.code(), reason(result));
  }

  private static String reason(DecoderResult result) {
    Throwable cause = result.cause();
    String message = cause == null ? null : cause.getMessage();
    return message == null ? "this is no HTTP" : message;
  }

  private static FullHttpResponse response(HttpAnswer answer, boolean goesOn) {
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(answer.status()),
            Unpooled.wrappedBuffer(body));
    response
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType())
        .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
    HttpUtil.setKeepAlive(response, goesOn);
    return response;
  }

  /** The body of the call that is being done. */
  private final class Incoming implements HttpCall.Body {

    private final Channel channel;
    private final long announced;
    private boolean isAwaitingUs;
    private boolean isComplete;
    private boolean isCut;

    Incoming(Channel channel, HttpRequest request) {
      this.channel = channel;
      this.announced =
          request.decoderResult().isSuccess() && HttpUtil.isContentLengthSet(request)
              ? HttpUtil.getContentLength(request)
              : -1;
      this.isAwaitingUs = HttpUtil.is100ContinueExpected(request);
    }

    @Override
    public long announced() {
      return announced;
    }

    @Override
    public byte[] read(int limit) throws IOException, InterruptedException {
      if (isAwaitingUs) {
        isAwaitingUs = false;
        var _ =
            channel.writeAndFlush(
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
      }
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      while (!isComplete && all.size() <= limit) {
        switch (more()) {
          case Piece(ByteBuffer bytes, boolean last) -> {
            byte[] wanted = new byte[Math.min(bytes.remaining(), limit + 1 - all.size())];
            bytes.get(wanted);
            all.writeBytes(wanted);
            isComplete = last;
          }
          case End(String why) -> {
            isCut = true;
            throw new IOException(why);
          }
          case Head _ -> throw new IllegalStateException("a call within a call");
        }
      }
      return all.toByteArray();
    }

    private Part more() throws InterruptedException {
      return take(channel, idle.compareTo(LONGEST_PAUSE) < 0 ? idle : LONGEST_PAUSE);
    }

    /** Whether it can be read to its end without harm to anybody. */
    boolean isShort() {
      return announced >= 0 && announced <= MOST_READ_FOR_NOTHING && !isLost();
    }

    /** Whether nobody knows where the next call would begin. */
    boolean isLost() {
      // Who still waits for our word before the body will not send it after an answer.
      return isCut || isAwaitingUs;
    }

    /** Passes over what was not read; whether it came to its end. */
    boolean skip() throws InterruptedException {
      while (!isComplete) {
        if (!(more() instanceof Piece piece)) {
          return false;
        }
        isComplete = piece.last();
      }
      return true;
    }
  }
}
