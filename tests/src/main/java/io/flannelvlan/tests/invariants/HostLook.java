package io.flannelvlan.tests.invariants;

import io.flannelvlan.tests.lab.Host;

/**
 * What one host's dockerd, journal and kernel tell. dockerd is asked first: what it knows by then
 * must have been in the journal, or is on its way out.
 */
record HostLook(
    String name, String address, DockerLook docker, JournalLook journal, KernelLook kernel) {
  static HostLook at(Host host) {
    return new HostLook(
        host.name(),
        host.address(),
        DockerLook.at(host),
        JournalLook.at(host.stateFiles()),
        KernelLook.at(host));
  }

  /** The same where dockerd was not asked, since a test makes its calls. */
  static HostLook withoutDocker(Host host) {
    JournalLook journal = JournalLook.at(host.stateFiles());
    // Docker's sandbox is gone, and only DeleteEndpoint is to follow.
    journal.table("endpoint").values().removeIf(e -> e.path("state").asText().equals("LEFT"));
    return new HostLook(
        host.name(),
        host.address(),
        DockerLook.by(journal),
        journal,
        KernelLook.withoutDocker(host));
  }
}
