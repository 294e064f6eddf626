package io.flannelvlan.driver;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The settings' texts: flag before environment before default. An unknown flag stops the start. */
final class Settings {

  private final Map<Setting, String> texts = new EnumMap<>(Setting.class);

  private Settings() {}

  /**
   * Reads {@code --flag=value} or {@code --flag value}.
   *
   * @throws ConfigException for a flag that is none of ours, or lacks its value
   */
  static Settings of(List<String> flags, Map<String, String> environment) {
    Settings settings = new Settings();
    for (Setting setting : Setting.values()) {
      String text = environment.getOrDefault(setting.name(), "");
      settings.texts.put(setting, text.isBlank() ? setting.standard() : text.strip());
    }
    for (int i = 0; i < flags.size(); i++) {
      String flag = flags.get(i);
      int equals = flag.indexOf('=');
      Setting setting = known(equals < 0 ? flag : flag.substring(0, equals));
      if (equals < 0 && i + 1 == flags.size()) {
        throw new ConfigException(flag + " needs a value: " + setting.meaning());
      }
      settings.texts.put(
          setting, (equals < 0 ? flags.get(++i) : flag.substring(equals + 1)).strip());
    }
    return settings;
  }

  private static Setting known(String flag) {
    return Arrays.stream(Setting.values())
        .filter(setting -> setting.flag().equals(flag))
        .findFirst()
        .orElseThrow(() ->
            new ConfigException(
                "unknown flag "
                    + flag
                    + "; known are "
                    + Arrays.stream(Setting.values())
                        .map(Setting::flag)
                        .collect(Collectors.joining(" "))));
  }

  String text(Setting setting) {
    return texts.getOrDefault(setting, setting.standard());
  }

  Optional<String> given(Setting setting) {
    return Optional.of(text(setting)).filter(text -> !text.isEmpty());
  }

  /** The parts of a comma list, blanks and empty parts dropped. */
  List<String> list(Setting setting) {
    return Arrays.stream(text(setting).split(","))
        .map(String::strip)
        .filter(part -> !part.isEmpty())
        .toList();
  }

  boolean flag(Setting setting) {
    return switch (text(setting)) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new ConfigException(setting + "=" + text(setting) + " is neither true nor false");
    };
  }
}
