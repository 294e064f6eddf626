package io.flannelvlan.tests;

import static io.flannelvlan.tests.Repository.ROOT;
import static io.flannelvlan.tests.Repository.mainSources;
import static io.flannelvlan.tests.Repository.sources;
import static io.flannelvlan.tests.Repository.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the pages name is there. */
class PagesTest {

  @Test
  void everyLinkLeadsToAFile() {
    for (Path page : pages()) {
      assertThat(found("]\\((?!https?:)([^)#]+)[^)]*\\)", text(page)))
          .as(page.toString())
          .allMatch(link -> Files.exists(page.resolveSibling(link)));
    }
  }

  @Test
  void everyTestThatAPageNamesIsThere() {
    Set<String> tests =
        sources().stream()
            .filter(file -> file.toString().contains("/src/test/java/"))
            .map(file -> file.getFileName().toString().replace(".java", ""))
            .collect(Collectors.toSet());
    for (Path page : pages()) {
      assertThat(found("`(\\w+(?:IT|Test))`", text(page)))
          .as(page.toString())
          .allMatch(tests::contains);
    }
  }

  /** The first line of the table is dockerd's; the others are literals of ours. */
  @Test
  void theProgramSaysWhatThePageOnTroubleQuotes() {
    String sources =
        mainSources().stream().map(Repository::text).collect(Collectors.joining("\n"))
            + text(ROOT.resolve("plugin-config.json"));
    List<String> quoted = found("(?m)^\\| `([^`]+)`", text(ROOT.resolve("docs/TROUBLE.md")));
    assertThat(quoted).hasSizeGreaterThan(10);
    assertThat(quoted.stream().skip(1)).allMatch(sources::contains);
  }

  @Test
  void everySettingHasALineOfItsOwn() {
    Path settings = ROOT.resolve("driver/src/main/java/io/flannelvlan/driver/Setting.java");
    List<String> names = found("(?m)^  ([A-Z_]+)\\(", text(settings));
    assertThat(names).hasSizeGreaterThan(10);
    String table =
        text(ROOT.resolve("docs/OPTIONS.md"))
            .lines()
            .filter(line -> line.startsWith("| `"))
            .collect(Collectors.joining("\n"));
    assertThat(names).allMatch(name -> table.contains("`" + name + "`"));
  }

  private static List<String> found(String pattern, String text) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map((MatchResult match) -> match.group(1))
        .toList();
  }

  private static List<Path> pages() {
    try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
      return Stream.concat(
              Stream.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")),
              docs.filter(file -> file.toString().endsWith(".md")))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
