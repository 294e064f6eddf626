/**
 * What containers of VLANs reach and who reaches them, on real engines: the seed's scene, published
 * ports, internal networks, the firewalls around them, and the kernel objects behind it all.
 */
@NullMarked
package io.flannelvlan.tests.engine;

import org.jspecify.annotations.NullMarked;
