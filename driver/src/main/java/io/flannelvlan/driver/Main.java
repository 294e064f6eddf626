package io.flannelvlan.driver;

import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The program {@code flannelvlan}. */
public final class Main {

  private static final int USAGE = 2;

  private Main() {}

  public static void main(String[] arguments) throws InterruptedException {
    List<String> words = List.of(arguments);
    if (words.contains("--help") || words.equals(List.of("help"))) {
      usage(System.out);
      return;
    }
    if (words.isEmpty() || !words.getFirst().equals("serve")) {
      usage(System.err);
      System.exit(USAGE);
    }
    try {
      Config config = Config.of(Settings.of(words.subList(1, words.size()), System.getenv()));
      Logging.start(config.log());
      serve(config);
    } catch (ConfigException e) {
      System.err.println("flannelvlan: " + e.getMessage());
      System.exit(USAGE);
    } catch (RuntimeException e) {
      Logger log = LoggerFactory.getLogger(Main.class);
      log.error("flannelvlan can't start: {}", e.getMessage());
      log.debug("cause", e);
      System.exit(1);
    }
  }

  private static void serve(Config config) throws InterruptedException {
    Daemon daemon = Daemon.start(config);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("shutdown")
                .unstarted(() -> {
                  daemon.close();
                  // The JVM's own status would be 143, which systemd takes for a failure.
                  Runtime.getRuntime().halt(0);
                }));
    new CountDownLatch(1).await();
  }

  private static void usage(PrintStream out) {
    out.println("usage: flannelvlan serve [--flag value]...");
    out.println();
    out.println("Each flag is also an environment variable; the flag wins.");
    for (Setting setting : Setting.values()) {
      String standard = setting.standard().isEmpty() ? "" : " [" + setting.standard() + "]";
      out.printf("  %-22s %s%s%n", setting.flag(), setting.meaning(), standard);
    }
  }
}
