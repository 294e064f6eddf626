package io.flannelvlan.driver;

import io.flannelvlan.cni.AttachmentId;
import io.flannelvlan.cni.CniApi.Attached;
import io.flannelvlan.cni.CniApi.Wish;
import io.flannelvlan.cni.CniException;
import io.flannelvlan.cni.Names;
import io.flannelvlan.dockerengine.DockerEngine;
import io.flannelvlan.dockerengine.EngineException;
import io.flannelvlan.dockerengine.NewAttachment;
import io.flannelvlan.dockerplugin.AdminApi.Attach;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.Sandbox;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Links for what runs already. A Docker container gets them from Docker, which would otherwise not
 * know of them; anything else is a network namespace, by its file or by a process in it.
 */
record Attachments(CniDriver cni, Networks networks, DockerEngine docker) {

  /** In place of a configuration's name. */
  private static final String NETWORK = "flannelvlan-attach";

  private static final Pattern PROCESS = Pattern.compile("[1-9][0-9]{0,9}");

  /** What a target means. */
  private sealed interface Target {

    record OfDocker(String container) implements Target {}

    record OfNamespace(Path netns) implements Target {}

    static Target of(String text) {
      if (PROCESS.matcher(text).matches()) {
        return new OfNamespace(Path.of("/proc", text, "ns/net"));
      }
      return text.startsWith("/") ? new OfNamespace(Path.of(text)) : new OfDocker(text);
    }
  }

  String attach(Attach wish) {
    wish.ifname()
        .filter(name -> !Names.isLink(name))
        .ifPresent(name -> {
          throw new Refused("--ifname: \"" + name + "\" is no name of a link");
        });
    return switch (Target.of(wish.target())) {
      case Target.OfDocker(String container) -> connect(container, wish);
      case Target.OfNamespace(Path netns) -> attach(netns, wish);
    };
  }

  private String connect(String container, Attach wish) {
    if (wish.ifname().isPresent()) {
      // Of a plugin's endpoints it drops the wish: https://github.com/moby/moby/issues/52865
      throw new Refused("Docker names the links of its containers itself: leave out --ifname");
    }
    String network = dockersNetwork(wish.vlan());
    try {
      docker.connect(new NewAttachment(network, container, wish.address()));
    } catch (EngineException e) {
      throw new Refused(String.valueOf(e.getMessage()), e);
    }
    return "container " + container + " is in VLAN " + wish.vlan() + " by Docker";
  }

  private String dockersNetwork(String vlan) {
    return networks.all().stream()
        .filter(network -> network.vlan().equals(vlan) && !CniNetworks.isOne(network.id()))
        .map(Network::id)
        .findFirst()
        .orElseThrow(() ->
            new Refused(
                "VLAN "
                    + vlan
                    + " has no Docker network on this host: make it with docker network create"));
  }

  private String attach(Path netns, Attach wish) {
    Sandbox sandbox = new Sandbox(netns);
    if (!sandbox.exists()) {
      throw new Refused(
          wish.target() + ": " + netns + " is no network namespace other than this host's");
    }
    String ifname = wish.ifname().orElseGet(() -> free(sandbox));
    try {
      Attached made =
          cni.attach(
              id(netns, ifname),
              netns,
              new Wish(wish.vlan(), ifname, wish.address(), Optional.empty()));
      return made.ifname() + " has " + made.address() + " in VLAN " + made.vlan();
    } catch (CniException e) {
      throw new Refused(e.getMessage(), e);
    }
  }

  private static String free(Sandbox sandbox) {
    for (int number = 1; ; number++) {
      String name = "net" + number;
      if (sandbox.look(name).isEmpty()) {
        return name;
      }
    }
  }

  private static AttachmentId id(Path netns, String ifname) {
    return new AttachmentId(NETWORK, netns.toString(), ifname);
  }

  String detach(String target, String vlan) {
    return switch (Target.of(target)) {
      case Target.OfDocker(String container) -> disconnect(container, vlan);
      case Target.OfNamespace(Path netns) -> detach(netns, vlan);
    };
  }

  private String disconnect(String container, String vlan) {
    try {
      docker.disconnect(dockersNetwork(vlan), container);
    } catch (EngineException e) {
      throw new Refused(String.valueOf(e.getMessage()), e);
    }
    return "container " + container + " left VLAN " + vlan + " by Docker";
  }

  private String detach(Path netns, String vlan) {
    List<CniAttachment> all =
        cni.all().stream()
            .filter(each ->
                each.id().network().equals(NETWORK)
                    && each.netns().equals(netns.toString())
                    && each.links().getFirst().vlan().equals(vlan))
            .toList();
    if (all.isEmpty()) {
      throw new Refused(netns + " has no link in VLAN " + vlan + " that attach made");
    }
    all.forEach(each -> cni.delete(each.id(), Optional.of(netns)));
    return netns + " left VLAN " + vlan;
  }
}
