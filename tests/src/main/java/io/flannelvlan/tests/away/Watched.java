package io.flannelvlan.tests.away;

import io.flannelvlan.tests.lab.HandlerTimes;
import io.flannelvlan.tests.lab.Host;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A host whose plugin is looked at: its handlers, its memory, its open files. */
final class Watched {
  private final Host host;
  private final HandlerTimes times;
  private final List<Size> sizes = new ArrayList<>();

  private record Size(long kib, long files) {
    @Override
    public String toString() {
      return "%d MB and %d files".formatted(kib / 1024, files);
    }
  }

  Watched(Host host) {
    this.host = host;
    this.times = new HandlerTimes(host);
    look();
  }

  Host host() {
    return host;
  }

  void look() {
    sizes.add(new Size(host.plugin().residentKib(), openFiles(host.plugin().pid())));
  }

  private static long openFiles(long process) {
    try (Stream<Path> files = Files.list(Path.of("/proc", Long.toString(process), "fd"))) {
      return files.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  double slowest() {
    return times.slowest();
  }

  /** Open files at the end, beyond those of the beginning. */
  long moreFiles() {
    return sizes.getLast().files() - sizes.getFirst().files();
  }

  @Override
  public String toString() {
    List<Double> all = times.sorted();
    return "%s: %d handlers, median %.1f ms, slowest %.1f ms; %s at first, %s in the end, %d MB and %d files at most"
        .formatted(
            host.name(),
            all.size(),
            all.get(all.size() / 2),
            all.getLast(),
            sizes.getFirst(),
            sizes.getLast(),
            sizes.stream().mapToLong(Size::kib).max().orElseThrow() / 1024,
            sizes.stream().mapToLong(Size::files).max().orElseThrow());
  }
}
