package io.flannelvlan.firewall;

import static java.util.stream.Collectors.joining;

import java.util.List;
import java.util.stream.Stream;

/** How nft spells names, sets and maps. */
final class NftText {

  private NftText() {}

  static String pair(String in, String out) {
    return "\"" + in + "\" . \"" + out + "\"";
  }

  static String quoted(String link) {
    return "\"" + link + "\"";
  }

  /** A comment ends with its line, so a name must not contain another. */
  static String comment(String name) {
    return name.replaceAll("[^ -~]", "?");
  }

  /**
   * A set.
   *
   * @param type by example: what nft 1.1 writes for {@code type ifname}, 1.0 can't read and dies
   *     of, and the table may be another program's next (a managed plugin's, firewalld's)
   */
  static String set(String name, String type, Stream<String> elements) {
    return collection("set", name, type, elements);
  }

  static String map(String name, String type, Stream<String> elements) {
    return collection("map", name, type, elements);
  }

  private static String collection(String kind, String name, String type, Stream<String> elements) {
    List<String> all = elements.toList();
    String content =
        all.isEmpty()
            ? ""
            : all.stream().collect(joining(",\n      ", "    elements = {\n      ", "\n    }\n"));
    return "  " + kind + " " + name + " {\n    typeof " + type + "\n" + content + "  }\n\n";
  }
}
