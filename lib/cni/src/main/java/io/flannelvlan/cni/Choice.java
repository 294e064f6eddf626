package io.flannelvlan.cni;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A VLAN that somebody chose for a pod, and how its link shall be called there.
 *
 * @param ifname the next free one if absent
 */
record Choice(String vlan, Optional<String> ifname) {

  private static final int MOST = 16;

  /**
   * Reads {@code vlan002} or {@code vlan001@eth0,vlan002@net1}, as the annotation {@code
   * flannelvlan.io/networks} has it.
   *
   * @throws CniException if it is none
   */
  static List<Choice> parse(String text) {
    List<Choice> all = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      String[] words = part.strip().split("@", -1);
      if (words.length > 2 || words[0].isBlank()) {
        throw new CniException(
            CniException.Code.INVALID_CONFIGURATION,
            Conf.ANNOTATION
                + ": \""
                + text
                + "\" is not like vlan002, or vlan001@eth0,vlan002@net1");
      }
      Optional<String> ifname =
          words.length == 1 ? Optional.empty() : Optional.of(Names.requireLink(words[1].strip()));
      all.add(new Choice(words[0].strip(), ifname));
    }
    if (all.stream().map(Choice::vlan).distinct().count() < all.size()) {
      throw new CniException(
          CniException.Code.INVALID_CONFIGURATION, Conf.ANNOTATION + " names one VLAN twice");
    }
    if (all.size() > MOST) {
      throw new CniException(
          CniException.Code.INVALID_CONFIGURATION,
          Conf.ANNOTATION + " names " + all.size() + " VLANs; " + MOST + " are the most");
    }
    return all;
  }

  /**
   * Gives each its link's name: the first, or who asks for it, has the runtime's; others are net1,
   * net2 and so on.
   *
   * @param runtimes what the runtime calls the link that it asks for
   * @throws CniException if two would have one name
   */
  static List<Choice> named(List<Choice> choices, String runtimes) {
    boolean asked = choices.stream().anyMatch(c -> c.ifname().equals(Optional.of(runtimes)));
    Set<String> taken = new HashSet<>(Set.of(runtimes));
    choices.forEach(choice -> choice.ifname().ifPresent(taken::add));
    List<Choice> all = new ArrayList<>();
    boolean first = !asked;
    for (Choice choice : choices) {
      String name;
      if (choice.ifname().isPresent()) {
        name = choice.ifname().get();
      } else if (first) {
        name = runtimes;
        first = false;
      } else {
        name = free(taken);
      }
      all.add(new Choice(choice.vlan(), Optional.of(name)));
    }
    if (all.stream().map(Choice::ifname).distinct().count() < all.size()) {
      throw new CniException(
          CniException.Code.INVALID_CONFIGURATION, Conf.ANNOTATION + " gives two VLANs one link");
    }
    if (first) {
      throw new CniException(
          CniException.Code.INVALID_CONFIGURATION,
          Conf.ANNOTATION + " gives no VLAN to " + runtimes + ", which the runtime asks for");
    }
    // The runtime's own link first: the default route leads through it.
    all.sort((a, b) -> Boolean.compare(is(b, runtimes), is(a, runtimes)));
    return all;
  }

  private static boolean is(Choice choice, String ifname) {
    return choice.ifname().equals(Optional.of(ifname));
  }

  private static String free(Set<String> taken) {
    int number = 1;
    while (!taken.add("net" + number)) {
      number++;
    }
    return "net" + number;
  }
}
