package io.flannelvlan.dockerplugin;

import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;

/**
 * HTTP/1.1 for a peer whose Host means nothing.
 *
 * <p>dockerd reaches plugins by a socket and has no host to name: before 20.10.26 it sends the
 * percent-encoded path of the socket, 20.10 of Debian sends an empty one (moby#30827), later ones
 * send a made-up name. Jetty answers 400 to the first two (jetty#11287).
 */
final class AnyHostConnectionFactory extends HttpConnectionFactory {

  AnyHostConnectionFactory(HttpConfiguration configuration) {
    super(configuration);
    configuration.setHttpCompliance(
        HttpCompliance.RFC9110.with(
            "any-host",
            HttpCompliance.Violation.UNSAFE_HOST_HEADER,
            HttpCompliance.Violation.MISMATCHED_AUTHORITY));
  }

  @Override
  public Connection newConnection(Connector connector, EndPoint endPoint) {
    AnyHostConnection connection =
        new AnyHostConnection(getHttpConfiguration(), connector, endPoint);
    return configure(connection, connector, endPoint);
  }
}
