/**
 * What this host's packet filter must say about our VLANs: isolation, masquerading, published
 * ports; and the host's port space, in which published ports are held.
 *
 * <p>Values ({@link FirewallRules} and its parts) are rendered to text by pure code ({@link
 * NftTable}, {@code FilterTable}) and applied whole by {@link Nft} and {@link ForwardHook}: one
 * table of ours, replaced in one transaction, and one chain of ours where iptables would drop our
 * traffic. Docker's chains and FORWARD's policy are never touched. The number of rules grows with
 * the VLANs and never with containers or ports, which are elements of sets and maps.
 *
 * <p>Everything here blocks and is called from one thread; it works in the network namespace of
 * that thread. It knows nothing of Docker, etcd or netlink. The caller sees to the links: they
 * exist and have addresses, the bridges have {@code route_localnet} (else 127.0.0.1 cannot be
 * translated), and the containers' bridge ports are in hairpin mode (else, with br_netfilter, a
 * container cannot reach itself by its published port).
 */
@NullMarked
package io.flannelvlan.firewall;

import org.jspecify.annotations.NullMarked;
