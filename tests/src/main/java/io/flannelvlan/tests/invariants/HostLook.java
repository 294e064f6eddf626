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
        JournalLook.at(host.stateDir()),
        KernelLook.at(host));
  }
}
