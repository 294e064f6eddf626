package io.flannelvlan.etcd;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Stream;

/** The certificates in this host's own files, which may be what is wrong when etcd says no. */
final class Certificates {

  private Certificates() {}

  /** Which of them are not valid at this time, and what to do; empty if all are. */
  static Optional<String> fault(EtcdSettings settings, Instant now) {
    return Stream.of(settings.cert(), settings.caCert())
        .flatMap(Optional::stream)
        .flatMap(file -> fault(file, now).stream())
        .reduce((a, b) -> a + "; " + b);
  }

  private static Optional<String> fault(Path file, Instant now) {
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> all =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      return all.stream()
          .map(X509Certificate.class::cast)
          .flatMap(certificate -> fault(certificate, now).stream())
          .findFirst()
          .map(fault ->
              "the certificate in " + file + " " + fault + ": replace it, no restart is needed");
    } catch (IOException | CertificateException e) {
      return Optional.of("the certificate in " + file + " can't be read: " + e.getMessage());
    }
  }

  private static Optional<String> fault(X509Certificate certificate, Instant now) {
    Instant from = certificate.getNotBefore().toInstant();
    Instant until = certificate.getNotAfter().toInstant();
    if (now.isAfter(until)) {
      return Optional.of("expired at " + until);
    }
    return now.isBefore(from)
        ? Optional.of("is not valid before " + from + ", and this host's clock says " + now)
        : Optional.empty();
  }
}
