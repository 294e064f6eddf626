package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** A namespace is entered without leaving a trace on the threads of others. */
class NamespaceIT {

  private static final Path OWN = Path.of("/proc/self/ns/net");

  @Test
  void aVirtualThreadOpensASocketElsewhereAndStaysHome() throws Exception {
    try (TestingNamespace namespace = new TestingNamespace()) {
      namespace.run("ip link add only-here type bridge");
      FutureTask<List<Link>> visit =
          new FutureTask<>(() -> {
            try (Rtnl there = Rtnl.openIn(namespace.path());
                Rtnl here = Rtnl.open()) {
              assertThat(here.link("only-here")).isEmpty();
              return there.links();
            }
          });
      Thread.ofVirtual().start(visit).join();

      assertThat(visit.get()).extracting(Link::name).containsExactlyInAnyOrder("lo", "only-here");
      assertThat(Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net")))
          .isEqualTo(Files.readSymbolicLink(OWN));
    }
  }

  @Test
  void descriptorsDoNotLeak() throws Exception {
    try (TestingNamespace namespace = new TestingNamespace()) {
      Rtnl.openIn(namespace.path()).close();
      long before = openDescriptors();
      for (int i = 0; i < 50; i++) {
        Rtnl.openIn(namespace.path()).close();
        Events.ofLinksIn(namespace.path(), _ -> {}).close();
      }
      assertThat(openDescriptors()).isLessThanOrEqualTo(before + 2);
    }
  }

  @Test
  void whatIsNoNamespaceIsRefused() {
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> Rtnl.openIn(Path.of("/run/netns/there-is-none")))
        .withMessageContaining("No such file or directory")
        .matches(NetlinkException::isAbsent);
    assertThatExceptionOfType(NetlinkException.class)
        .isThrownBy(() -> Rtnl.openIn(Path.of("/etc/hostname")))
        .withMessage("enter namespace /etc/hostname: Invalid argument (EINVAL)");
  }

  private static long openDescriptors() throws Exception {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }
}
