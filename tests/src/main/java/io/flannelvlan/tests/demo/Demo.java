package io.flannelvlan.tests.demo;

import io.flannelvlan.tests.lab.Engine;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LabException;
import java.util.List;

/** Plays the scene and ends with 0 only if everybody reaches whom he should and nobody else. */
public final class Demo {
  private static final String PUBLISHED = "8080";
  private static final List<Vlan> VLANS = List.of(Vlan.VLAN001, Vlan.VLAN002);

  /** What host 1 made is on host 2 by itself. */
  private static final List<String> LIST =
      List.of("network", "ls", "--filter", "driver=flannelvlan");

  private final Screen screen = new Screen(System.out);

  private Demo() {}

  public static void main(String[] arguments) {
    Demo demo = new Demo();
    boolean right =
        switch (String.join(" ", arguments)) {
          case "" -> demo.playAndTakeDown();
          case "--keep" -> demo.playAndKeep();
          case "--down" -> demo.takeDownKept();
          default -> {
            System.err.println("usage: ./dev demo [--keep | --down]");
            yield false;
          }
        };
    System.exit(right ? 0 : 1);
  }

  private boolean playAndTakeDown() {
    try (Lab lab = Lab.start()) {
      return play(lab);
    }
  }

  /** What failed is taken down: there is nothing to look at but what has been printed. */
  private boolean playAndKeep() {
    try (Lab lab = Lab.start()) {
      boolean right = play(lab);
      lab.keep();
      tellHowToLookAround(lab);
      return right;
    }
  }

  private boolean takeDownKept() {
    screen.say("labs taken down: " + Lab.endKept());
    return true;
  }

  private boolean play(Lab lab) {
    try {
      return playScene(lab);
    } catch (LabException e) {
      screen.say(lab.logs());
      screen.verdict(false, e.toString());
      return false;
    }
  }

  private boolean playScene(Lab lab) {
    List<Host> hosts = lab.hosts(Engine.DOCKER_28, Engine.DOCKER_20_10);
    for (Host host : hosts) {
      host.setting("NETWORKS", "all").plugin().start();
      screen.say(host.name() + " is " + host.address() + " with Docker " + version(host));
    }
    Host h1 = hosts.get(0);
    Host h2 = hosts.get(1);
    for (Vlan vlan : VLANS) {
      screen.command(h1.name(), vlan.createCommand());
      vlan.createOn(h1);
    }
    VLANS.forEach(vlan -> vlan.awaitOn(h2));
    screen.command(h2.name(), LIST);
    screen.say(h2.docker(LIST.toArray(String[]::new)).text());
    Member a = Member.start("A", h1, Vlan.VLAN001);
    Member b = Member.start("B", h2, Vlan.VLAN001, "--publish", PUBLISHED + ":80");
    Member c = Member.start("C", h1, Vlan.VLAN002);
    Member d = Member.start("D", h2, Vlan.VLAN002);

    Matrix matrix = Matrix.measure(List.of(a, b, c, d));
    screen.show(matrix);
    boolean outwards = checkWayOut(lab, a);
    boolean inwards = checkPublishedPort(lab, b);
    boolean right = matrix.right() && outwards && inwards;
    if (!right) {
      screen.say(lab.logs());
    }
    screen.verdict(right, right ? "all as it should be" : "not as it should be");
    return right;
  }

  private boolean checkWayOut(Lab lab, Member member) {
    String host = member.container().host().address();
    boolean right =
        member.container().seenAs(lab.outside().address()).filter(host::equals).isPresent();
    screen.verdict(right, "a machine outside sees " + member.letter() + " as its host, " + host);
    return right;
  }

  private boolean checkPublishedPort(Lab lab, Member member) {
    String port = member.container().host().address() + ":" + PUBLISHED;
    String client = lab.outside().address();
    boolean right = lab.outside().seenAs(port).filter(client::equals).isPresent();
    screen.verdict(
        right, member.letter() + " answers a machine outside at " + port + " and sees who it is");
    return right;
  }

  private static String version(Host host) {
    return host.docker("version", "--format", "{{.Server.Version}}").text();
  }

  private void tellHowToLookAround(Lab lab) {
    screen.say(
        """

        The lab stays until ./dev demo --down. To look around:
          cd %s
          h1/enter docker ps
          h1/enter docker exec containerA ping -c 3 $(h2/enter docker inspect -f '{{.NetworkSettings.Networks.vlan001.IPAddress}}' containerB)
          h1/enter ip -d link
          h1/enter bridge fdb
          h1/enter nft list table inet flannelvlan
          h1/enter bash                       # a shell on host 1
          ./etcdctl get --prefix /coreos.com/network
          tail -f h1/plugin.log h2/plugin.log\
        """
            .formatted(lab.dir()));
  }
}
