package io.flannelvlan.etcd;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScratchIT {
  @Test
  void tls() throws Exception {
    Path t = Path.of("/tmp/tls");
    Process p =
        new ProcessBuilder(
                "/usr/bin/etcd",
                "--data-dir=/tmp/tls/data",
                "--listen-client-urls=https://127.0.0.1:21379",
                "--advertise-client-urls=https://127.0.0.1:21379",
                "--listen-peer-urls=http://127.0.0.1:21380",
                "--initial-advertise-peer-urls=http://127.0.0.1:21380",
                "--initial-cluster=default=http://127.0.0.1:21380",
                "--cert-file=/tmp/tls/server.pem",
                "--key-file=/tmp/tls/server.key",
                "--client-cert-auth",
                "--trusted-ca-file=/tmp/tls/ca.pem")
            .redirectErrorStream(true)
            .redirectOutput(new java.io.File("/tmp/tls/log"))
            .start();
    try {
      Thread.sleep(2000);
      List<URI> ep = List.of(URI.create("https://127.0.0.1:21379"));
      try (Etcd e =
          Etcd.open(
              new EtcdSettings(
                  ep,
                  Optional.of(t.resolve("ca.pem")),
                  Optional.of(t.resolve("client.pem")),
                  Optional.of(t.resolve("client.key")),
                  Optional.empty(),
                  Optional.empty()))) {
        e.put("/a", "1");
        System.out.println("TLS mutual: " + e.get("/a"));
        long s = System.nanoTime();
        for (int i = 0; i < 500; i++) e.get("/a");
        System.out.println("TLS get us " + (System.nanoTime() - s) / 500000);
      }
      try (Etcd e =
          Etcd.open(
              new EtcdSettings(
                  ep,
                  Optional.of(t.resolve("ca.pem")),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty()))) {
        try {
          e.get("/a");
          System.out.println("TLS CA only answered");
        } catch (EtcdException x) {
          System.out.println("TLS CA only, server wants cert: " + x.getMessage());
        }
      }
      try (Etcd e =
          Etcd.open(
              new EtcdSettings(
                  ep,
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty()))) {
        try {
          e.get("/a");
          System.out.println("?");
        } catch (EtcdException x) {
          System.out.println("TLS unknown CA: " + x.getMessage());
        }
      }
      try {
        Etcd.open(
                new EtcdSettings(
                    ep,
                    Optional.of(t.resolve("log")),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty()))
            .close();
      } catch (IllegalArgumentException x) {
        System.out.println("TLS bad ca: " + x.getMessage());
      }
      try {
        Etcd.open(
                new EtcdSettings(
                    ep,
                    Optional.of(t.resolve("none.pem")),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty()))
            .close();
      } catch (IllegalArgumentException x) {
        System.out.println("TLS no ca: " + x.getMessage());
      }
    } finally {
      p.destroy();
      p.waitFor();
    }
  }

  @Test
  void cost() throws Exception {
    try (TestingEtcd server = TestingEtcd.started();
        Etcd e = server.client()) {
      for (int i = 0; i < 3000; i++) {
        e.txn(Txn.when(Guard.absent("/c" + i)).put("/c" + i, "v"));
      }
      long s = System.nanoTime();
      for (int i = 0; i < 1000; i++) e.txn(Txn.when(Guard.absent("/d" + i)).put("/d" + i, "v"));
      System.out.println("COST txn us " + (System.nanoTime() - s) / 1000000);
      long sum = 0;
      for (int i = 0; i < 20; i++) {
        Thread.sleep(150);
        s = System.nanoTime();
        e.txn(Txn.when(Guard.absent("/e" + i)).put("/e" + i, "v"));
        sum += System.nanoTime() - s;
      }
      System.out.println("COST lone txn us " + sum / 20000);
      try (PrefixWatch w =
          e.watch(
              "/c",
              new WatchListener<>() {
                public void current(Snapshot s2) {}

                public void notCurrent(EtcdException r) {}
              })) {
        Thread.sleep(500);
        Thread.getAllStackTraces().keySet().stream()
            .map(Thread::getName)
            .sorted()
            .forEach(n -> System.out.println("THREAD " + n));
      }
    }
  }
}
