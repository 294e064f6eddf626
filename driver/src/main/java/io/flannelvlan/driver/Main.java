package io.flannelvlan.driver;

import io.flannelvlan.dockerplugin.PluginServer;
import io.flannelvlan.unixhttp.Question;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The program {@code flannelvlan}. */
public final class Main {

  private static final int USAGE = 2;

  private Main() {}

  public static void main(String[] arguments) throws InterruptedException {
    LogProvider.use();
    List<String> words = List.of(arguments);
    if (words.contains("--help") || words.equals(List.of("help"))) {
      usage(System.out);
      return;
    }
    Optional<Question> question = AdminCommand.question(words);
    if (question.isPresent()) {
      System.exit(AdminCommand.of(question.get(), settings(List.of())).run());
    }
    if (words.isEmpty() || !words.getFirst().equals("serve")) {
      usage(System.err);
      System.exit(USAGE);
    }
    PluginServer.prepare();
    Settings settings = settings(words.subList(1, words.size()));
    try {
      Config config = Config.of(settings);
      Logging.start(config.log());
      serve(config);
    } catch (ConfigException e) {
      System.err.println("flannelvlan: " + e.getMessage());
      exit(USAGE, settings);
    } catch (RuntimeException e) {
      Logger log = LoggerFactory.getLogger(Main.class);
      log.error("flannelvlan can't start: {}", e.getMessage());
      log.debug("cause", e);
      exit(1, settings);
    }
  }

  private static Settings settings(List<String> flags) {
    try {
      return Settings.of(flags, System.getenv());
    } catch (ConfigException e) {
      System.err.println("flannelvlan: " + e.getMessage());
      System.exit(USAGE);
      throw e;
    }
  }

  private static void exit(int status, Settings settings) throws InterruptedException {
    if (settings.given(Setting.PLAIN_SOCKET).isPresent()) {
      // dockerd starts a managed plugin that ends again at once, for 12 s, and may then be unable
      // to
      // start a better one ("id already in use"). One that never listens it ends itself.
      new CountDownLatch(1).await();
    }
    System.exit(status);
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
    AdminCommand.usage(out);
    out.println();
    out.println("Each flag is also an environment variable; the flag wins.");
    for (Setting setting : Setting.values()) {
      String standard = setting.standard().isEmpty() ? "" : " [" + setting.standard() + "]";
      out.printf("  %-22s %s%s%n", setting.flag(), setting.meaning(), standard);
    }
  }
}
