package io.flannelvlan.netlink;

import io.flannelvlan.netlink.LinkSetting.Ipv4;
import java.util.List;
import java.util.StringJoiner;

/** Requests on links in the words of {@code ip link}. */
final class LinkCommands {

  private LinkCommands() {}

  static String addBridge(String name, List<LinkSetting> settings) {
    return "ip link add " + words(name, atCreation(settings)) + " type bridge";
  }

  static String addVxlan(String name, Tunnel tunnel, List<LinkSetting> settings) {
    return "ip link add " + words(name, atCreation(settings)) + " type vxlan " + tunnel;
  }

  static String addVeth(
      String name, List<LinkSetting> settings, String peer, List<LinkSetting> peerSettings) {
    return "ip link add "
        + words(name, atCreation(settings))
        + " type veth peer name "
        + words(peer, peerSettings);
  }

  /** IPv4 settings have no word in {@code ip}: sysctl sets them. */
  static String set(String link, List<LinkSetting> settings) {
    StringJoiner commands = new StringJoiner(" && ");
    List<LinkSetting> words = settings.stream().filter(one -> !(one instanceof Ipv4)).toList();
    if (!words.isEmpty()) {
      commands.add("ip link set dev " + words(link, words));
    }
    for (LinkSetting setting : settings) {
      if (setting instanceof Ipv4) {
        commands.add("sysctl -w net.ipv4.conf." + link + "." + setting);
      }
    }
    return commands.toString();
  }

  private static String words(String name, List<LinkSetting> settings) {
    StringJoiner words = new StringJoiner(" ").add(name);
    settings.forEach(setting -> words.add(setting.toString()));
    return words.toString();
  }

  /** What creation leaves out is said by the command that follows. */
  private static List<LinkSetting> atCreation(List<LinkSetting> settings) {
    return settings.stream().filter(LinkSetting::partOfCreation).toList();
  }
}
