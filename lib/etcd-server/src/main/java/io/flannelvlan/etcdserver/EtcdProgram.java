package io.flannelvlan.etcdserver;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The program etcd and how it is told what to do.
 *
 * @param clientPort for hosts; etcd's own 2379 may be taken by somebody's cluster
 * @param peerPort on loopback, for nobody: one member has no peers
 */
record EtcdProgram(Path path, int clientPort, int peerPort) {

  private static final File NOTHING = new File("/dev/null");
  private static final int CLIENT_PORT = 23790;
  private static final int PEER_PORT = 23791;
  private static final List<String> DIRECTORIES = List.of("/usr/bin", "/usr/local/bin", "/opt/bin");

  /** The one of this machine, or of the plugin's own root. */
  static EtcdProgram found() {
    return Stream.concat(
            Optional.ofNullable(System.getenv("FLANNELVLAN_ETCD")).map(Path::of).stream(),
            DIRECTORIES.stream().map(directory -> Path.of(directory, "etcd")))
        .filter(Files::isExecutable)
        .findFirst()
        .map(path -> new EtcdProgram(path, CLIENT_PORT, PEER_PORT))
        .orElseThrow(() ->
            new IllegalStateException(
                "neither ETCD_ENDPOINTS nor JOIN is set, and this host has no etcd to start:"
                    + " install the package etcd-server, or set one of the two"));
  }

  /** What it says that it is. */
  EtcdVersion version() throws IOException {
    Process process =
        new ProcessBuilder(path.toString(), "--version")
            .redirectInput(Redirect.from(NOTHING))
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return EtcdVersion.said(said)
        .orElseThrow(() -> new IOException(path + " --version says: " + said.strip()));
  }

  EtcdProcess start(Path directory) throws IOException {
    Path certificates = Identity.ofServer(directory);
    String peer = "https://127.0.0.1:" + peerPort;
    return EtcdProcess.start(
        directory,
        List.of(
            path.toString(),
            EtcdProcess.NAME,
            "--data-dir=" + EtcdDirectory.in(directory).path(),
            "--listen-client-urls=https://0.0.0.0:" + clientPort,
            "--advertise-client-urls=https://127.0.0.1:" + clientPort,
            "--client-cert-auth",
            "--trusted-ca-file=" + certificates.resolve(Credentials.CA_FILE),
            "--cert-file=" + certificates.resolve(Credentials.CERTIFICATE_FILE),
            "--key-file=" + certificates.resolve(Credentials.KEY_FILE),
            "--listen-peer-urls=" + peer,
            "--initial-advertise-peer-urls=" + peer,
            "--initial-cluster=flannelvlan=" + peer,
            "--peer-client-cert-auth",
            "--peer-trusted-ca-file=" + certificates.resolve(Credentials.CA_FILE),
            "--peer-cert-file=" + certificates.resolve(Credentials.CERTIFICATE_FILE),
            "--peer-key-file=" + certificates.resolve(Credentials.KEY_FILE),
            // Alone it elects itself: after 100 ms rather than a second.
            "--heartbeat-interval=10",
            "--election-timeout=100",
            // Watches begin from lists, so that an hour's history is plenty.
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=1h",
            "--logger=zap",
            "--log-level=warn"));
  }
}
