package io.flannelvlan.etcdserver;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run of etcd. What it says goes to our log. */
final class EtcdProcess implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EtcdProcess.class);

  /** etcd writes nothing that must not be cut off: what it has acknowledged is on the disk. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** By which one that a killed daemon left is known, beside the directory that it works in. */
  static final String NAME = "--name=flannelvlan";

  private final Process process;
  private final Thread reader;
  private final EtcdWords words = new EtcdWords();

  private EtcdProcess(Process process) {
    this.process = process;
    this.reader = Thread.ofPlatform().name("etcd-log").daemon().start(this::read);
  }

  static EtcdProcess start(Path directory, List<String> command) throws IOException {
    endOrphans(directory);
    ProcessBuilder etcd =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectInput(Redirect.from(new File("/dev/null")))
            .redirectErrorStream(true);
    // From its start on nothing may fail: nobody would watch it.
    return new EtcdProcess(etcd.start());
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Of one that has ended. */
  int status() {
    return process.exitValue();
  }

  /** All that it said, of one that has ended. */
  EtcdWords words() throws InterruptedException {
    reader.join(PATIENCE);
    return words;
  }

  @Override
  public void close() {
    end(process.toHandle());
  }

  /**
   * Those of a daemon that was killed: they hold the data and the port. They are asked for, not
   * remembered: a number in a file needs a disk that takes it, and may be somebody else's by now.
   */
  private static void endOrphans(Path directory) {
    ProcessHandle.allProcesses()
        .filter(process -> worksIn(process, directory) && isNamed(process))
        .forEach(EtcdProcess::end);
  }

  /** The very directory: another one of that name may be in some container. */
  private static boolean worksIn(ProcessHandle process, Path directory) {
    try {
      return Files.isSameFile(Path.of("/proc/" + process.pid() + "/cwd"), directory);
    } catch (IOException _) {
      return false; // it is gone, or a thread of the kernel
    }
  }

  private static boolean isNamed(ProcessHandle process) {
    return process.info().arguments().stream().flatMap(Arrays::stream).anyMatch(NAME::equals);
  }

  private static void end(ProcessHandle process) {
    process.destroy();
    try {
      process.onExit().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      process.destroyForcibly();
    }
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        words.hear(line);
        LOG.debug("{}", line);
      }
    } catch (IOException e) {
      LOG.debug("etcd's words end", e);
    }
  }
}
