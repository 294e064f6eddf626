package io.flannelvlan.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Pod;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The calls of one pod, as the executable hands them on. A runtime whose ADD was lost calls DEL and
 * ADD again, or is gone with the pod.
 */
final class PodLife implements Victim.Course {
  private static final AtomicInteger IDS = new AtomicInteger();

  private final Host host;
  private final String vlan;
  private Pod pod;
  private boolean added;
  private boolean over;
  private boolean lost;

  PodLife(Host host, String vlan) {
    this.host = host;
    this.vlan = vlan;
    this.pod = pod();
  }

  private Pod pod() {
    return host.pod("pod" + IDS.incrementAndGet());
  }

  @Override
  public boolean isOver() {
    return over;
  }

  @Override
  public String next() {
    return added ? "DEL" : "ADD";
  }

  @Override
  public boolean step() {
    if (lost && !added) {
      assertThat(answer("DEL")).as("DEL").isPresent().get().matches(Wire.Reply::ok);
    }
    lost = false;
    Optional<Wire.Reply> reply = answer(next());
    if (reply.isEmpty()) {
      lost = true;
      return false;
    }
    assertThat(reply.get().ok()).as(next() + ": " + reply.get().body()).isTrue();
    if (added) {
      end();
    } else {
      assertThat(pod.address()).startsWith("10.");
      added = true;
    }
    return true;
  }

  @Override
  public void giveUp() {
    lost = false;
    if (added) {
      end();
    } else {
      pod.vanish();
      pod = pod();
    }
  }

  private void end() {
    over = true;
    pod.vanish();
  }

  private Optional<Wire.Reply> answer(String command) {
    Path socket = host.runDir().resolve("admin.sock");
    String conf =
        "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"flannelvlan-cni\",\"network\":\"%s\"}"
            .formatted(vlan);
    String[] variables = {
      "CNI_COMMAND=" + command,
      "CNI_CONTAINERID=" + pod.name(),
      "CNI_IFNAME=eth0",
      "CNI_NETNS=" + pod.netns(),
      "CNI_PATH=/opt/cni/bin"
    };
    return Wire.answered(socket, "cni", String.join("\0", variables) + "\0\0" + conf);
  }
}
