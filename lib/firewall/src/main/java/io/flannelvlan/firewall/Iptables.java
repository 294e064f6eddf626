package io.flannelvlan.firewall;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * One of the two kinds of iptables. A kernel may hold tables of both, each with a FORWARD chain of
 * its own that every packet passes, whichever of them the command {@code iptables} means.
 */
enum Iptables {
  NFT("iptables-nft"),
  LEGACY("iptables-legacy");

  /** Lists the legacy tables of the thread's network namespace; absent without the module. */
  private static final Path LEGACY_TABLES = Path.of("/proc/thread-self/net/ip_tables_names");

  private static final Program NFT_PROGRAM = new Program("nft", "nftables");

  private final String command;

  Iptables(String command) {
    this.command = command;
  }

  private Program save() {
    return new Program(command + "-save", "iptables");
  }

  private Program restore() {
    return new Program(command + "-restore", "iptables");
  }

  /** Whether there is a filter table of this kind to look at. Must not create one by looking. */
  boolean isInUse() {
    return switch (this) {
      case NFT -> save().isInstalled() || forwardChainExists();
      case LEGACY -> legacyTables().lines().anyMatch("filter"::equals);
    };
  }

  FilterTable read() {
    Program.Output output = save().run("", "-t", "filter");
    // Rules that iptables cannot express are announced in a comment, with exit code 0.
    if (output.failed() || output.text().contains("is incompatible")) {
      throw new FirewallException(command + "-save -t filter: " + output.text().strip());
    }
    return FilterTable.parse(output.text());
  }

  /** In one transaction. -w waits for others; the nft kind needs no lock and ignores it. */
  void restore(String script) {
    Program.Output output = restore().run(script, "--noflush", "-w", "10");
    if (output.failed()) {
      throw new FirewallException(
          restore().name()
              + ": exit "
              + output.exit()
              + ": "
              + output.text().strip()
              + "\n"
              + script);
    }
  }

  private static boolean forwardChainExists() {
    return NFT_PROGRAM.isInstalled()
        && !NFT_PROGRAM.run("", "list", "chain", "ip", "filter", "FORWARD").failed();
  }

  private static String legacyTables() {
    try {
      return Files.readString(LEGACY_TABLES);
    } catch (NoSuchFileException _) {
      return "";
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
