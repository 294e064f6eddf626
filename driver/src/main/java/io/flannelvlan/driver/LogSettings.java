package io.flannelvlan.driver;

import java.util.Arrays;
import java.util.Locale;

/** How much is logged, and in which form. */
record LogSettings(Level level, Format format) {

  enum Level {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }

  enum Format {
    TEXT,
    JSON
  }

  static LogSettings of(Settings settings) {
    return new LogSettings(
        one(Level.class, settings, Setting.LOG_LEVEL),
        one(Format.class, settings, Setting.LOG_FORMAT));
  }

  private static <E extends Enum<E>> E one(Class<E> type, Settings settings, Setting setting) {
    String text = settings.text(setting);
    return Arrays.stream(type.getEnumConstants())
        .filter(value -> value.name().equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(() ->
            new ConfigException(
                setting
                    + "="
                    + text
                    + " is none of "
                    + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT)));
  }
}
