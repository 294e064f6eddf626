/** Golden text, and real packets between namespaces that stand for hosts and containers. */
@NullMarked
package io.flannelvlan.firewall;

import org.jspecify.annotations.NullMarked;
