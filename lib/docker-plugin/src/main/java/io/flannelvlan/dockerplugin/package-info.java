/**
 * Docker's plugin protocol: the calls as records, their JSON, and the socket that answers them;
 * beside it the socket for people.
 *
 * <p>Knows dockerd's words and HTTP, and nothing of what a call means: no etcd, no kernel, no
 * address arithmetic. The two interfaces {@link io.flannelvlan.dockerplugin.NetworkApi} and {@link
 * io.flannelvlan.dockerplugin.IpamApi} are what others implement. No text passes this door as an
 * address: what a record holds is valid.
 */
@NullMarked
package io.flannelvlan.dockerplugin;

import org.jspecify.annotations.NullMarked;
