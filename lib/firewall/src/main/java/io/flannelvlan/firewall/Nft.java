package io.flannelvlan.firewall;

import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our table in the kernel, by the program {@code nft}, in the network namespace of the calling
 * thread.
 *
 * <p>The table is replaced as a whole in one transaction: no packet sees half of it, and connection
 * tracking, which belongs to the kernel and not to the table, goes on. Blocking; one thread only.
 */
public final class Nft {

  private static final Logger log = LoggerFactory.getLogger(Nft.class);

  private static final Program NFT = new Program("nft", "nftables");

  private Optional<Applied> applied = Optional.empty();

  /**
   * What was loaded last.
   *
   * @param listing how the kernel showed it right afterwards. nft spells the same rules differently
   *     from version to version, so only the machine's own spelling can be compared later. Nobody
   *     who waits for the rules waits for that too.
   */
  private record Applied(FirewallRules rules, Optional<Program.Run> listing) {

    boolean isStill(Optional<String> now) {
      return listing.map(Program.Run::end).flatMap(Nft::text).equals(now);
    }
  }

  /**
   * Whether the kernel holds exactly these rules: one run of nft, some milliseconds. False before
   * the first {@link #apply} of this object, which costs one harmless replacement.
   */
  public boolean isCurrent(FirewallRules rules) {
    return applied.isPresent()
        && applied.get().rules().equals(rules)
        && applied.get().isStill(listing());
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
    if (rules.vlans().isEmpty()) {
      return remove();
    }
    run("replace", NftTable.render(rules));
    applied = Optional.of(new Applied(rules, Optional.of(beginListing())));
    log.info(
        "nft: replaced table {}: {} VLANs, {} published ports",
        NftTable.NAME,
        rules.vlans().size(),
        rules.ports().size());
    return true;
  }

  /**
   * Removes the table, if it is there.
   *
   * @return whether it was there
   */
  public boolean remove() {
    boolean present = listing().isPresent();
    if (present) {
      run("delete", NftTable.deletion());
      log.info("nft: deleted table {}", NftTable.NAME);
    }
    applied = Optional.of(new Applied(FirewallRules.NONE, Optional.empty()));
    return present;
  }

  private static Optional<String> listing() {
    return text(beginListing().end());
  }

  private static Program.Run beginListing() {
    return NFT.begin("", "list", "table", "inet", NftTable.NAME);
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
