package io.flannelvlan.dockerplugin;

import static java.util.Objects.requireNonNull;

import org.eclipse.jetty.http.HostPortHttpField;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpParser;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.internal.HttpConnection;
import org.jspecify.annotations.Nullable;

/**
 * A connection that puts a name where the Host is blank or left out.
 *
 * <p>The check for a blank Host has no switch and stands in Jetty's inner class; that package is
 * called internal, so Jetty's version is pinned and {@code WireTest} guards both cases.
 */
final class AnyHostConnection extends HttpConnection {

  /** What newer engines send. */
  static final String HOST = "plugin.moby.localhost";

  // Set while the constructor of the superclass runs; an initializer here would undo that.
  private @Nullable RequestHandler handler;

  AnyHostConnection(HttpConfiguration configuration, Connector connector, EndPoint endPoint) {
    super(configuration, connector, endPoint);
  }

  @Override
  protected RequestHandler newRequestHandler() {
    RequestHandler created = new NamingHandler();
    handler = created;
    return created;
  }

  @Override
  protected HttpParser newHttpParser(HttpCompliance compliance) {
    HttpConfiguration configuration = getHttpConfiguration();
    HttpParser parser =
        new AnyHostParser(
            requireNonNull(handler), configuration.getRequestHeaderSize(), compliance);
    parser.setHeaderCacheSize(configuration.getHeaderCacheSize());
    parser.setHeaderCacheCaseSensitive(configuration.isHeaderCacheCaseSensitive());
    return parser;
  }

  private final class NamingHandler extends RequestHandler {

    @Override
    public void parsedHeader(HttpField field) {
      boolean blankHost =
          field.getHeader() == HttpHeader.HOST
              && (field.getValue() == null || field.getValue().isBlank());
      super.parsedHeader(blankHost ? new HostPortHttpField(HOST) : field);
    }
  }
}
