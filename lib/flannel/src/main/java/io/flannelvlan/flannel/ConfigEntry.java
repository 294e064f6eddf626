package io.flannelvlan.flannel;

/** What stands in a VLAN's config key. */
public sealed interface ConfigEntry {

  /** Nothing: nobody made the VLAN, or etcd lost it. */
  record Absent() implements ConfigEntry {}

  /** Something that is no config of ours; the reason names the key and the fault. */
  record Unusable(String reason) implements ConfigEntry {}

  /** A config. */
  record Usable(NetworkConfig config) implements ConfigEntry {}
}
