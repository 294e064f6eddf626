package io.flannelvlan.tests.cni;

import io.flannelvlan.tests.lab.Containerd;
import io.flannelvlan.tests.lab.Daemon;
import io.flannelvlan.tests.lab.Examples;
import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Task;
import java.util.Map;

/**
 * A host with the package and a containerd, which is asked as a kubelet asks.
 *
 * @param daemon the package's
 */
record Node(Host host, Daemon daemon, Containerd containerd, Cri cri) implements AutoCloseable {

  /** A pod with one container, which serves HTTP. */
  record Replica(Node node, String pod, Task task) {

    /** By the word of containerd. */
    String address() {
      return node.cri.address(pod);
    }

    void remove() {
      node.cri.removePod(pod);
    }
  }

  /**
   * Starts all of it.
   *
   * @param conf what its pods are in, of docs/examples
   */
  static Node start(Host host, String conf) {
    host.installPackage();
    Daemon daemon = host.setting("RECLAIM_AFTER", "2s").packaged();
    daemon.start();
    Containerd containerd = new Containerd(host);
    containerd.configure(conf.replaceFirst(".*/", ""), Examples.text(conf));
    containerd.start();
    return new Node(
        host, daemon, containerd, new Cri(containerd.socket(), containerd.cgroupParent()));
  }

  /** One of a manifest's. */
  Replica run(String name, Manifest manifest) {
    return run(name, manifest.annotations(), manifest.hostPorts());
  }

  Replica run(String name, Map<String, String> annotations) {
    return run(name, annotations, Map.of());
  }

  private Replica run(String name, Map<String, String> annotations, Map<Integer, Integer> ports) {
    String pod = cri.runPod(name, annotations, ports);
    String container = cri.runContainer(pod, name, Containerd.IMAGE, annotations);
    return new Replica(this, pod, containerd.task(container));
  }

  @Override
  public void close() {
    cri.close();
    containerd.stop();
  }
}
