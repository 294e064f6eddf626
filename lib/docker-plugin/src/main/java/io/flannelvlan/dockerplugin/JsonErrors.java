package io.flannelvlan.dockerplugin;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** What Jetty itself refuses, such as a broken request line, told in the words of dockerd. */
final class JsonErrors extends ErrorHandler {

  @Override
  public boolean errorPageForMethod(String method) {
    return true;
  }

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int code,
      @Nullable String message,
      @Nullable Throwable cause,
      Callback callback) {
    Reply reply = Reply.error(code, Malformed.oneLine("HTTP " + code + ": " + message));
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, Reply.CONTENT_TYPE);
    response.write(true, ByteBuffer.wrap(reply.bytes()), callback);
  }
}
