package io.flannelvlan.tests.chaos;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Where a fault strikes, etcd as a process or the keys in it; what {@code --only} and {@code
 * --without} name.
 */
enum Kind {
  PLUGIN,
  DOCKERD,
  ETCD,
  KEYS,
  HOST,
  DISK,
  UNDERLAY,
  FIREWALLD,
  KERNEL;

  static Kind parse(String word) {
    return Arrays.stream(values())
        .filter(kind -> kind.word().equals(word))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "\"" + word + "\" is no kind of fault; there are " + words()));
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static String words() {
    return Arrays.stream(values()).map(Kind::word).collect(Collectors.joining(", "));
  }
}
