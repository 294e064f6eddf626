package io.flannelvlan.tests.faults;

import io.flannelvlan.tests.lab.Host;
import io.flannelvlan.tests.lab.Lab;
import io.flannelvlan.tests.lab.LabException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * The daemon as it was built, with points at which it can be ended. Woven once and not by each JVM
 * as it starts, since a test starts some hundreds.
 *
 * @param path what starts it
 * @param cache what its JVM starts with once it was {@linkplain #train trained}, in half the time
 */
public record FaultyProgram(Path path, Path cache) {
  private static final String OURS = "io/flannelvlan/";
  private static final String FIRST_LIBRARY = "flannelvlan.jar";

  /** Makes it in the lab's directory. */
  public static FaultyProgram in(Lab lab) {
    Path home = lab.dir().resolve("faulty");
    Path program = Lab.program();
    Path dist = program.resolve("../..").normalize();
    try {
      copy(dist, home);
    } catch (IOException e) {
      throw new LabException("cannot weave points into " + dist, e);
    }
    Path woven = home.resolve(dist.relativize(program));
    return new FaultyProgram(woven, home.resolve("trained.aot"));
  }

  /** Has it do its work once on this host, and keeps what its JVM learned by it. */
  public void train(Host host, Runnable work) {
    host.runs(
        path,
        "-XX:AOTCacheOutput=" + cache,
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:-AOTRecordTraining");
    host.plugin().start();
    work.run();
    host.plugin().stop();
    if (!Files.isReadable(cache)) {
      throw new LabException("no cache was written: " + host.plugin().log());
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(from)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    List<URL> jars = new ArrayList<>();
    for (Path file : files) {
      if (file.toString().endsWith(".jar")) {
        jars.add(file.toUri().toURL());
      }
    }
    try (URLClassLoader loader =
        new URLClassLoader(jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      Weaver weaver = new Weaver(loader);
      for (Path file : files) {
        Path copy = to.resolve(from.relativize(file));
        Files.createDirectories(copy.resolveSibling(""));
        if (isOurs(file)) {
          weave(file, copy, weaver);
        } else {
          Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  private static boolean isOurs(Path file) throws IOException {
    if (!file.toString().endsWith(".jar")) {
      return false;
    }
    try (ZipFile jar = new ZipFile(file.toFile())) {
      return jar.stream().anyMatch(entry -> entry.getName().startsWith(OURS));
    }
  }

  private static void weave(Path from, Path to, Weaver weaver) throws IOException {
    try (ZipFile jar = new ZipFile(from.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
      for (Enumeration<? extends ZipEntry> all = jar.entries(); all.hasMoreElements(); ) {
        ZipEntry entry = all.nextElement();
        byte[] bytes;
        try (InputStream in = jar.getInputStream(entry)) {
          bytes = in.readAllBytes();
        }
        boolean woven = entry.getName().startsWith(OURS) && entry.getName().endsWith(".class");
        add(out, entry.getName(), woven ? weaver.woven(bytes) : bytes);
      }
      if (from.endsWith(FIRST_LIBRARY)) {
        addPoint(out);
      }
    }
  }

  private static void addPoint(ZipOutputStream out) throws IOException {
    String name = FaultPoint.class.getName().replace('.', '/') + ".class";
    try (InputStream in = FaultPoint.class.getClassLoader().getResourceAsStream(name)) {
      if (in == null) {
        throw new LabException("no class file of " + name);
      }
      add(out, name, in.readAllBytes());
    }
  }

  private static void add(ZipOutputStream jar, String name, byte[] bytes) throws IOException {
    jar.putNextEntry(new ZipEntry(name));
    jar.write(bytes);
  }
}
