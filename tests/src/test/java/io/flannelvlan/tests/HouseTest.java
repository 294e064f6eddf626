package io.flannelvlan.tests;

import static io.flannelvlan.tests.Repository.ROOT;
import static io.flannelvlan.tests.Repository.lines;
import static io.flannelvlan.tests.Repository.mainSources;
import static io.flannelvlan.tests.Repository.sources;
import static io.flannelvlan.tests.Repository.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The repository holds itself to the rules of CONTRIBUTING.md. */
class HouseTest {

  /** A file with more lines than this has outgrown its one idea. */
  private static final int MAX_LINES = 400;

  private static final Pattern REFUSED_NAMES =
      Pattern.compile(
          ".*(Manager|Helper|Utils?|Impl|Processor|Context|Data|Info)\\.java|(Base|Abstract).*\\.java");

  @Test
  void noFileHasOutgrownItsIdea() {
    assertThat(sources().stream().filter(file -> lines(file).size() > MAX_LINES)).isEmpty();
  }

  @Test
  void noTypeHasARefusedName() {
    assertThat(
            sources().stream()
                .filter(f -> REFUSED_NAMES.matcher(f.getFileName().toString()).matches()))
        .isEmpty();
  }

  @Test
  void everyMainPackageSaysWhatItKnowsAndIsNullMarked() {
    assertThat(
            mainSources().stream()
                .map(file -> file.resolveSibling("package-info.java"))
                .distinct()
                .filter(info -> !Files.exists(info) || !text(info).contains("@NullMarked")))
        .isEmpty();
  }

  @Test
  void theEtcdClientIsImportedInLibEtcdOnly() {
    assertThat(importing("io.etcd.jetcd", "lib/etcd/")).isEmpty();
  }

  @Test
  void foreignFunctionsAreBoundInLibNetlinkOnly() {
    assertThat(importing("java.lang.foreign", "lib/netlink/")).isEmpty();
  }

  @Test
  void httpIsKnownInLibDockerPluginOnly() {
    assertThat(importing("io.netty.handler.codec.http", "lib/docker-plugin/")).isEmpty();
  }

  @Test
  void theKernelSideKnowsNeitherDockersNorEtcdsWords() {
    assertThat(
            mainSources().stream()
                .filter(file -> file.toString().contains("/driver/kernel/"))
                .filter(file ->
                    imports(file, "io.flannelvlan.dockerplugin")
                        || imports(file, "io.flannelvlan.etcd")
                        || imports(file, "io.flannelvlan.flannel")))
        .isEmpty();
  }

  @Test
  void noTestIsSkipped() {
    Pattern skipped = Pattern.compile("^\\s*@Disabled|Assumptions\\.|assumeTrue\\(|assumeThat\\(");
    List<String> found = new ArrayList<>();
    for (Path file : sources()) {
      if (file.getFileName().toString().equals("HouseTest.java")) {
        continue;
      }
      lines(file).stream()
          .filter(line -> skipped.matcher(line).find())
          .forEach(line -> found.add(file + ": " + line.strip()));
    }
    assertThat(found).isEmpty();
  }

  private static List<Path> importing(String prefix, String exceptUnder) {
    return mainSources().stream()
        .filter(file -> !ROOT.relativize(file).toString().startsWith(exceptUnder))
        .filter(file -> imports(file, prefix))
        .toList();
  }

  private static boolean imports(Path file, String prefix) {
    return lines(file).stream()
        .anyMatch(line ->
            line.startsWith("import " + prefix) || line.startsWith("import static " + prefix));
  }
}
