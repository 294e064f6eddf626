package io.flannelvlan.flannel.host;

/** What etcd shows of a host's own leases, beside what it showed last; nobody else writes them. */
enum OwnLeases {
  AS_LAST,

  /** A list lacks some: it is not of the etcd that they were in, or not of its present. */
  MISSING,

  /** A list has them with another grant than they were last written with: etcd went back. */
  EARLIER
}
