package io.flannelvlan.etcd;

/**
 * One key as etcd holds it.
 *
 * <p>Keys and values are UTF-8; a foreign value that is not shows U+FFFD in place of its broken
 * bytes, so compare such a value by {@code modRevision} only.
 *
 * @param createRevision the revision that created the key, for the last time
 * @param modRevision the revision of the last put
 * @param grant the id of the grant the key is bound to, 0 for none
 */
public record KeyValue(
    String key, String value, long createRevision, long modRevision, long grant) {}
