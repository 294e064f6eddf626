package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import java.util.Optional;

/**
 * A key of flannel's that cannot be used.
 *
 * @param claim what it takes nevertheless: the subnet its key names, or the range that can still be
 *     read from a config
 * @param reason names the key, and the fault in its value
 */
public record BrokenEntry(String key, Optional<Cidr> claim, String reason) {}
