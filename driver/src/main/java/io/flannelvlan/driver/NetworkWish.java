package io.flannelvlan.driver;

import io.flannelvlan.net.IpAddress;

/**
 * What a CreateNetwork asks for, and what follows from it on this host.
 *
 * @param address where the peers will send to
 */
record NetworkWish(Network network, VlanChoice choice, VlanLinks links, IpAddress address) {}
