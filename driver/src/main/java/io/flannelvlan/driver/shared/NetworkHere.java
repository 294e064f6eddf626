package io.flannelvlan.driver.shared;

import java.time.Instant;

/**
 * A network of ours in this host's Docker.
 *
 * @param id Docker's
 * @param dockersIpam whether it is made for this host alone: its subnet can be no other host's
 */
public record NetworkHere(String id, String vlan, boolean dockersIpam, Instant created) {}
