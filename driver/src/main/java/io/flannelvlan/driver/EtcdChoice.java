package io.flannelvlan.driver;

import io.flannelvlan.etcd.EtcdSettings;
import io.flannelvlan.etcdserver.JoinLine;

/** Which etcd keeps the VLANs. */
sealed interface EtcdChoice {

  /** The user's own: {@code ETCD_ENDPOINTS}. */
  record Own(EtcdSettings settings) implements EtcdChoice {}

  /** The one that another host carries: {@code JOIN}. */
  record Joined(JoinLine line) implements EtcdChoice {}

  /** The one that this host carries: neither is set. */
  record Carried() implements EtcdChoice {}
}
