package io.flannelvlan.dockerplugin;

import io.flannelvlan.dockerplugin.PluginServer.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** A real server on a socket of its own, with handlers that keep what they are asked. */
final class Served implements AutoCloseable {

  static final Manifest MANIFEST =
      new Manifest(
          new NetworkApi.Capabilities(NetworkApi.Scope.LOCAL, NetworkApi.Scope.GLOBAL, false),
          new IpamApi.Capabilities(false, false),
          new IpamApi.DefaultAddressSpaces("flannelvlan", "flannelvlan"));

  /** Short where a test waits for it to end. */
  static final Limits QUICK =
      new Limits(Duration.ofMillis(200), Duration.ofMillis(200), Duration.ofMillis(200), 1 << 20);

  final Path directory;
  final Path socket;
  final PluginServer server;
  final TestingNetwork network = new TestingNetwork();
  final TestingIpam ipam = new TestingIpam();

  private Served(Limits limits) throws IOException {
    directory = Files.createTempDirectory("fv");
    socket = directory.resolve("flannelvlan.sock");
    server = PluginServer.start(List.of(socket), MANIFEST, limits);
  }

  static Served ready() throws IOException {
    return ready(Limits.DEFAULT);
  }

  static Served ready(Limits limits) throws IOException {
    Served served = unready(limits);
    served.server.ready(served.network, served.ipam);
    return served;
  }

  static Served unready(Limits limits) throws IOException {
    return new Served(limits);
  }

  @Override
  public void close() throws IOException {
    server.close();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
