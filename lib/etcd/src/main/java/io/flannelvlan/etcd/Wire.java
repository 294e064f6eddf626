package io.flannelvlan.etcd;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.PutOption;
import java.nio.charset.StandardCharsets;

/** Our values as the client library's, and back. */
final class Wire {

  private Wire() {}

  static ByteSequence bytes(String text) {
    return ByteSequence.from(text, StandardCharsets.UTF_8);
  }

  static KeyValue keyValue(io.etcd.jetcd.KeyValue kv) {
    return new KeyValue(
        kv.getKey().toString(StandardCharsets.UTF_8),
        kv.getValue().toString(StandardCharsets.UTF_8),
        kv.getCreateRevision(),
        kv.getModRevision(),
        kv.getLease());
  }

  static Cmp[] compares(Txn txn) {
    return txn.guards().stream().map(Wire::compare).toArray(Cmp[]::new);
  }

  static Op[] ops(Txn txn) {
    return txn.writes().stream().map(Wire::op).toArray(Op[]::new);
  }

  private static Cmp compare(Guard guard) {
    CmpTarget<?> target =
        switch (guard) {
          case Guard.Absent _ -> CmpTarget.version(0);
          case Guard.AtRevision g -> CmpTarget.modRevision(g.modRevision());
          case Guard.HasValue g -> CmpTarget.value(bytes(g.value()));
        };
    return new Cmp(bytes(guard.key()), Cmp.Op.EQUAL, target);
  }

  private static Op op(Txn.Write write) {
    return switch (write) {
      case Txn.Write.Put put ->
          Op.put(
              bytes(put.key()),
              bytes(put.value()),
              put.grant()
                  .map(grant -> PutOption.builder().withLeaseId(grant.id()).build())
                  .orElse(PutOption.DEFAULT));
      case Txn.Write.Delete delete -> Op.delete(bytes(delete.key()), DeleteOption.DEFAULT);
    };
  }
}
