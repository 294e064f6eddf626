package io.flannelvlan.firewall;

import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our tables in the kernel, by the program {@code nft}, in the network namespace of the calling
 * thread: one for packets, and where there are named bridges one for their frames.
 *
 * <p>They are replaced as a whole in one transaction: no packet sees half of it, and connection
 * tracking, which belongs to the kernel and not to the table, goes on. Blocking; one thread only.
 */
public final class Nft {

  private static final Logger log = LoggerFactory.getLogger(Nft.class);

  private static final Program NFT = new Program("nft", "nftables");
  private static final String INET = "inet";
  private static final String BRIDGE = "bridge";

  private Optional<Applied> applied = Optional.empty();

  /**
   * What was loaded last.
   *
   * @param listing how the kernel showed it right afterwards. nft spells the same rules differently
   *     from version to version, so only the machine's own spelling can be compared later. Nobody
   *     who waits for the rules waits for that too.
   */
  private record Applied(FirewallRules rules, List<Program.Run> listing) {

    boolean isStill(List<Optional<String>> now) {
      return rules.isEmpty()
          ? now.stream().allMatch(Optional::isEmpty)
          : now.stream().allMatch(Optional::isPresent) && now.equals(asLoaded());
    }

    /** Nothing if nft could not tell: then it is loaded anew, and asked anew. */
    private List<Optional<String>> asLoaded() {
      try {
        return texts(listing);
      } catch (FirewallException e) {
        log.debug("what was loaded is not known", e);
        return List.of();
      }
    }

    boolean hasBridges() {
      return !rules.named().isEmpty();
    }
  }

  /**
   * Whether the kernel holds exactly these rules: one run of nft, some milliseconds. False before
   * the first {@link #apply} of this object, which costs one harmless replacement.
   */
  public boolean isCurrent(FirewallRules rules) {
    return applied.isPresent()
        && applied.get().rules().equals(rules)
        && applied.get().isStill(texts(beginListing(rules)));
  }

  /**
   * Makes the kernel hold exactly these rules; without VLANs, no table.
   *
   * @return whether anything had to be changed
   * @throws FirewallException with nft's words; nothing is changed then
   */
  public boolean apply(FirewallRules rules) {
    if (isCurrent(rules)) {
      return false;
    }
    if (rules.isEmpty()) {
      return remove();
    }
    run("replace", NftTable.render(rules) + frames(rules));
    applied = Optional.of(new Applied(rules, beginListing(rules)));
    log.info(
        "nft: replaced table {}: {} VLANs, {} published ports, {} shared bridges",
        NftTable.NAME,
        rules.vlans().size(),
        rules.ports().size(),
        rules.named().size());
    return true;
  }

  /**
   * Removes the table, if it is there.
   *
   * @return whether it was there
   */
  public boolean remove() {
    boolean packets = text(NFT.run("", "list", "table", INET, NftTable.NAME)).isPresent();
    boolean frames = hasFrames();
    boolean present = packets || frames;
    if (present) {
      run("delete", (packets ? NftTable.deletion() : "") + (frames ? BridgeTable.deletion() : ""));
      log.info("nft: deleted table {}", NftTable.NAME);
    }
    applied = Optional.of(new Applied(FirewallRules.NONE, List.of()));
    return present;
  }

  /**
   * The script for the second table. Without named bridges it is not even spoken of, unless it is
   * there: such a kernel need not know nftables for bridges.
   */
  private String frames(FirewallRules rules) {
    if (!rules.named().isEmpty()) {
      return BridgeTable.render(rules);
    }
    boolean leftOver = applied.map(Applied::hasBridges).orElse(true) && hasFrames();
    return leftOver ? BridgeTable.deletion() : "";
  }

  private static boolean hasFrames() {
    return !NFT.run("", "list", "table", BRIDGE, NftTable.NAME).failed();
  }

  /** One run for each table: asked for two, nft 1.0 shows none. */
  private static List<Program.Run> beginListing(FirewallRules rules) {
    return (rules.named().isEmpty() ? List.of(INET) : List.of(INET, BRIDGE))
        .stream().map(family -> NFT.begin("", "list", "table", family, NftTable.NAME)).toList();
  }

  private static List<Optional<String>> texts(List<Program.Run> listing) {
    return listing.stream().map(Program.Run::end).map(Nft::text).toList();
  }

  /** What was listed; empty without the table. */
  private static Optional<String> text(Program.Output output) {
    if (output.failed() && output.text().contains("No such file or directory")) {
      return Optional.empty();
    }
    if (output.failed()) {
      throw refusal("list", output);
    }
    return Optional.of(output.text());
  }

  static void run(String verb, String script) {
    Program.Output output = NFT.run(script, "-f", "-");
    if (output.failed()) {
      throw refusal(verb, output);
    }
  }

  /** nft prints place, reason, the line of the script and a marker below; the first will do. */
  private static FirewallException refusal(String verb, Program.Output output) {
    String words = output.text().lines().limit(3).reduce((a, b) -> a + "\n" + b).orElse("no words");
    return new FirewallException(
        "nft: " + verb + " table inet " + NftTable.NAME + ": exit " + output.exit() + ": " + words);
  }
}
