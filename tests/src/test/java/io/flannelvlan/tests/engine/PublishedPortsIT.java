package io.flannelvlan.tests.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Await;
import io.flannelvlan.tests.lab.Container;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.Leeway;
import io.flannelvlan.tests.lab.LogsOnFailure;
import io.flannelvlan.tests.lab.Protocol;
import io.flannelvlan.tests.lab.Result;
import io.flannelvlan.tests.lab.Station;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code docker run --publish} on a VLAN, with each engine. */
@ExtendWith(LogsOnFailure.class)
final class PublishedPortsIT {
  private static final Vlan ONE = new Vlan(1);
  private static final Vlan TWO = new Vlan(2);

  /** For what the plugin does behind an answer's back. */
  private static final Duration SOON = Leeway.over(Duration.ofSeconds(1));

  private static Lab lab;
  private static List<Host> hosts = List.of();

  /** On each host one container in the published ones' VLAN, one in another, one in Docker's. */
  private static final List<Container> GUESTS = new ArrayList<>();

  @BeforeAll
  static void boot() {
    lab = Lab.start();
    hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    for (Host host : hosts) {
      host.plugin().start();
      ONE.createOn(host);
      TWO.createOn(host);
      GUESTS.add(host.run("neighbour-" + host.name(), ONE.name()));
      GUESTS.add(host.run("stranger-" + host.name(), TWO.name()));
      GUESTS.add(host.run("plain-" + host.name(), "bridge"));
    }
    assertThat(GUESTS.getFirst().reaches(GUESTS.get(3).address())).isTrue();
  }

  @AfterAll
  static void takeDown() {
    lab.close();
  }

  @AfterEach
  void noPortIsLeft() {
    List<String> guests = GUESTS.stream().map(Container::name).toList();
    for (Host host : hosts) {
      host.docker("ps", "--all", "--format", "{{.Names}}")
          .out()
          .lines()
          .filter(name -> !guests.contains(name))
          .forEach(name -> host.docker("rm", "--force", name));
      Await.until(SOON, () -> "left: " + NftPorts.of(host), () -> NftPorts.of(host).isEmpty());
    }
  }

  /** Everybody who may ask for a published port, the container that has it included. */
  private static List<Station> everybody(Container itself) {
    List<Station> all = new ArrayList<>(GUESTS);
    all.addAll(hosts);
    all.add(lab.outside());
    all.add(itself);
    return all;
  }

  @Test
  void tcpPortServesOutsideHostsAndContainersWhoeverTheyAre() {
    for (Host host : hosts) {
      Container web = host.run("web", ONE.name(), "--publish", "8080:80");
      String port = host.address() + ":8080";
      assertThat(Trials.finds(everybody(web), Map.of("web", port))).hasSize(10);
      assertThat(host.whoAnswers("127.0.0.1:8080")).contains("web");
      assertThat(Trials.downloads(List.of(lab.outside(), host, web), Map.of("web", port)))
          .hasSize(3);
      web.remove();
    }
  }

  @Test
  void clientsAddressIsPreserved() {
    for (Host host : hosts) {
      Container web = host.run("web", ONE.name(), "--publish", "8080:80");
      String port = host.address() + ":8080";
      assertThat(lab.outside().seenAs(port)).contains(lab.outside().address());
      Host other = host == hosts.getFirst() ? hosts.getLast() : hosts.getFirst();
      assertThat(other.seenAs(port)).contains(other.address());
      for (Container guest : GUESTS) {
        if (guest.host() == other) {
          assertThat(guest.seenAs(port)).as(guest.name()).contains(other.address());
        }
      }
      web.remove();
    }
  }

  @Test
  void udpPortServesOutsideHostsAndContainersWhoeverTheyAre() {
    for (Host host : hosts) {
      Container server = host.run("server", ONE.name(), "--publish", "5353:53/udp");
      Daemon answering = server.answering(Protocol.UDP, 53);
      Map<String, String> place = Map.of("server", host.address());
      assertThat(Trials.asksByUdp(everybody(server), place, 5353)).hasSize(10);
      assertThat(host.ask(Protocol.UDP, "127.0.0.1", 5353)).isPresent();
      assertThat(lab.outside().ask(Protocol.UDP, host.address(), 5353).orElse("nobody"))
          .startsWith(lab.outside().address() + " ");
      answering.stop();
      server.remove();
    }
  }

  @Test
  void rangeLeadsEachPortToItsOwn() {
    for (Host host : hosts) {
      Container server = host.run("server", ONE.name(), "--publish", "9080-9082:80-82");
      Daemon first = server.answering(Protocol.TCP, 81);
      Daemon second = server.answering(Protocol.TCP, 82);
      assertThat(lab.outside().whoAnswers(host.address() + ":9080")).contains("server");
      assertThat(lab.outside().ask(Protocol.TCP, host.address(), 9081)).isPresent();
      assertThat(lab.outside().ask(Protocol.TCP, host.address(), 9082)).isPresent();
      first.stop();
      assertThat(lab.outside().ask(Protocol.TCP, host.address(), 9081)).isEmpty();
      assertThat(lab.outside().ask(Protocol.TCP, host.address(), 9082)).isPresent();
      second.stop();
      server.remove();
    }
  }

  @Test
  void rangeForOnePortGivesTheFirstFreeOne() {
    for (Host host : hosts) {
      Container first = host.run("first", ONE.name(), "--publish", "9090-9092:80");
      Container second = host.run("second", TWO.name(), "--publish", "9090-9092:80");
      assertThat(lab.outside().whoAnswers(host.address() + ":9090")).contains("first");
      assertThat(lab.outside().whoAnswers(host.address() + ":9091")).contains("second");
      first.remove();
      second.remove();
    }
  }

  @Test
  void portAtOneAddressIsNotAtAnother() {
    for (Host host : hosts) {
      String more = host.address().replace("100.1", "100.11");
      host.in("ip", "address", "add", more + "/24", "dev", "eth0").orThrow();
      Container here = host.run("here", ONE.name(), "--publish", more + ":8081:80");
      Container home = host.run("home", ONE.name(), "--publish", "127.0.0.1:8082:80");
      List<Station> all = List.of(lab.outside(), host, GUESTS.get(0), GUESTS.get(1));
      assertThat(Trials.finds(all, Map.of("here", more + ":8081"))).hasSize(4);
      assertThat(Trials.asks(all, Map.of("here", host.address() + ":8081"))).isEmpty();
      assertThat(host.whoAnswers("127.0.0.1:8082")).contains("home");
      assertThat(Trials.asks(all, Map.of("home", host.address() + ":8082"))).isEmpty();
      assertThat(host.whoAnswers("127.0.0.1:8081")).isEmpty();
      Container both = host.run("both", TWO.name(), "--publish", host.address() + ":8081:80");
      assertThat(lab.outside().whoAnswers(host.address() + ":8081")).contains("both");
      assertThat(lab.outside().whoAnswers(more + ":8081")).contains("here");
      List.of(here, home, both).forEach(Container::remove);
      host.in("ip", "address", "delete", more + "/24", "dev", "eth0").orThrow();
    }
  }

  @Test
  void portOfNobodysChoiceIsAFreeOne() {
    for (Host host : hosts) {
      Container web = host.run("web", ONE.name(), "--publish", "80", "--publish", "53/udp");
      List<NftPorts.Port> ports = NftPorts.of(host);
      assertThat(ports).extracting(NftPorts.Port::target).containsOnly(web.address());
      assertThat(ports).extracting(NftPorts.Port::protocol).containsExactly("tcp", "udp");
      String port = host.address() + ":" + ports.getFirst().number();
      assertThat(lab.outside().whoAnswers(port)).contains("web");
      web.remove();
    }
  }

  @Test
  void sctpPortHasItsRule() {
    for (Host host : hosts) {
      Container server = host.run("server", ONE.name(), "--publish", "3868:3868/sctp");
      assertThat(NftPorts.of(host))
          .containsExactly(new NftPorts.Port("sctp", 3868, server.address()));
      server.remove();
    }
  }

  @Test
  void portOfAProgramIsRefused() {
    for (Host host : hosts) {
      Daemon program = host.answering(Protocol.TCP, 8090);
      refuses(host, "8090:80", "port 8090 is taken by another program of this host");
      program.stop();
      Daemon resolver = host.answering(Protocol.UDP, 8090);
      refuses(host, "8090:53/udp", "port 8090 is taken by another program of this host");
      Container web = host.run("web", ONE.name(), "--publish", "8090:80");
      assertThat(lab.outside().whoAnswers(host.address() + ":8090")).contains("web");
      resolver.stop();
      web.remove();
    }
  }

  @Test
  void programThatComesLaterIsRefused() {
    String listen =
        """
        use Socket;
        socket(my $s, AF_INET, SOCK_STREAM, 0);
        setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
        exit !(bind($s, sockaddr_in($ARGV[0], INADDR_ANY)) && listen($s, 1));
        """;
    for (Host host : hosts) {
      host.run("web", ONE.name(), "--publish", "8095:80");
      assertThat(host.in("perl", "-e", listen, "8095").exit()).isEqualTo(1);
      assertThat(host.in("perl", "-e", listen, "8096").exit()).isZero();
    }
  }

  @Test
  void portOfDockersOwnBridgeIsRefusedAndTheOtherWayRound() {
    for (Host host : hosts) {
      Container plain = host.run("dockers", "bridge", "--publish", "8091:80");
      refuses(host, "8091:80", "port 8091 is taken by another program of this host");
      plain.remove();
      Container ours = host.run("ours", ONE.name(), "--publish", "8091:80");
      Result dockers =
          host.tryDocker(
              "run", "-d", "--name", "dockers", "--network", "bridge", "-p", "8091:80", Lab.IMAGE);
      assertThat(dockers.err()).contains("address already in use");
      assertThat(lab.outside().whoAnswers(host.address() + ":8091")).contains("ours");
      host.docker("rm", "dockers");
      ours.remove();
    }
  }

  @Test
  void portOfAnotherContainerOfOursIsRefused() {
    for (Host host : hosts) {
      Container web = host.run("web", TWO.name(), "--publish", "8092:80");
      refuses(host, "8092:80", "port 8092 is already published");
      refuses(host, host.address() + ":8092:80", "port 8092 is already published");
      refuses(host, "8092-8092:80", "port 8092 is already published");
      Container same = host.run("same", ONE.name(), "--publish", "8092:80/udp");
      assertThat(lab.outside().whoAnswers(host.address() + ":8092")).contains("web");
      same.remove();
      web.remove();
    }
  }

  /** One port that can't be had, and none of the container's is published. */
  private static void refuses(Host host, String publish, String reason) {
    List<NftPorts.Port> before = NftPorts.of(host);
    Result run =
        host.tryDocker(
            "run",
            "-d",
            "--name",
            "refused",
            "--network",
            ONE.name(),
            "-p",
            "7000:80",
            "-p",
            publish,
            Lab.IMAGE);
    assertThat(run.ok()).isFalse();
    assertThat(run.err()).contains(reason);
    assertThat(host.container("refused").inspect("{{.State.Running}}")).isEqualTo("false");
    host.docker("rm", "refused");
    assertThat(NftPorts.of(host)).isEqualTo(before);
    assertThat(host.whoAnswers("127.0.0.1:7000")).isEmpty();
  }

  @Test
  void portsComeAndGoWithTheContainer() {
    for (Host host : hosts) {
      Container web = host.run("web", ONE.name(), "--publish", "8093:80");
      String port = host.address() + ":8093";
      assertThat(lab.outside().whoAnswers(port)).contains("web");
      web.stop();
      assertGone(host);
      web.start();
      assertThat(lab.outside().whoAnswers(port)).contains("web");
      web.remove();
      assertGone(host);
    }
  }

  private static void assertGone(Host host) {
    Await.until(SOON, () -> "left: " + NftPorts.of(host), () -> NftPorts.of(host).isEmpty());
    assertThat(lab.outside().whoAnswers(host.address() + ":8093")).isEmpty();
    Daemon program = host.answering(Protocol.TCP, 8093);
    assertThat(lab.outside().ask(Protocol.TCP, host.address(), 8093)).isPresent();
    program.stop();
  }

  @Test
  void portFollowsTheContainersDefaultGateway() {
    for (Host host : hosts) {
      Container web = host.run("web", TWO.name(), "--publish", "8097:80");
      String port = host.address() + ":8097";
      // By name, Docker takes the default gateway from vlan001 once the container is in both.
      host.docker("network", "connect", ONE.name(), "web");
      assertThat(lab.outside().whoAnswers(port)).contains("web");
      assertThat(Trials.finds(GUESTS, Map.of("web", port))).hasSize(6);
      assertThat(NftPorts.of(host)).hasSize(1);
      host.docker("network", "disconnect", ONE.name(), "web");
      assertThat(lab.outside().whoAnswers(port)).contains("web");
      assertThat(NftPorts.of(host)).containsExactly(new NftPorts.Port("tcp", 8097, web.address()));
    }
  }

  @Test
  void portsServeWhileThePluginIsAwayAndAreHeldAfterwards() {
    for (Host host : hosts) {
      Container web = host.run("web", ONE.name(), "--publish", "8094:80", "--publish", "53/udp");
      List<NftPorts.Port> before = NftPorts.of(host);
      String port = host.address() + ":8094";
      if (host == hosts.getFirst()) {
        host.plugin().stop();
      } else {
        host.plugin().kill();
      }
      assertThat(lab.outside().downloads(port)).isTrue();
      assertThat(host.whoAnswers("127.0.0.1:8094")).contains("web");
      host.plugin().start();
      assertThat(lab.outside().seenAs(port)).contains(lab.outside().address());
      assertThat(NftPorts.of(host)).isEqualTo(before);
      refuses(host, "8094:80", "port 8094 is already published");
      web.remove();
    }
  }
}
