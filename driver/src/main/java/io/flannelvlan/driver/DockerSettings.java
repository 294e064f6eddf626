package io.flannelvlan.driver;

import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where Docker's API is, and how long it must not know a thing of ours before that is given up.
 *
 * @param socket Docker's own, not the plugin's
 */
record DockerSettings(Path socket, Duration reclaimAfter) {

  private static final String UNIX = "unix://";
  private static final Pattern DURATION = Pattern.compile("([1-9]\\d{0,5})(s|m|h)");

  static DockerSettings of(Settings settings) {
    return new DockerSettings(
        socket(settings.text(Setting.DOCKER_HOST)),
        duration(Setting.RECLAIM_AFTER, settings.text(Setting.RECLAIM_AFTER)));
  }

  private static Path socket(String text) {
    if (text.startsWith(UNIX + "/")) {
      return Path.of(text.substring(UNIX.length()));
    }
    throw new ConfigException(
        Setting.DOCKER_HOST
            + "="
            + text
            + ": only the socket of this host's own Docker will do, such as unix:///run/docker.sock");
  }

  private static Duration duration(Setting setting, String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new ConfigException(setting + "=" + text + " is no time such as 60s, 5m or 1h");
    }
    long count = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "s" -> Duration.ofSeconds(count);
      case "m" -> Duration.ofMinutes(count);
      default -> Duration.ofHours(count);
    };
  }
}
