package io.flannelvlan.ipam;

import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.flannel.FlannelFormatException;
import io.flannelvlan.flannel.VlanException;
import io.flannelvlan.journal.JournalException;
import java.util.function.Supplier;

/**
 * Where the failures that a user can do something about become refusals; their texts are fit for
 * that. Anything else stays what it is, a bug.
 */
public final class Refusals {

  private Refusals() {}

  /** Does a verb's work. */
  public static <T> T of(Supplier<T> work) {
    try {
      return work.get();
    } catch (EtcdException | VlanException | FlannelFormatException | JournalException e) {
      throw new Refused(String.valueOf(e.getMessage()), e);
    }
  }

  public static void of(Runnable work) {
    of(() -> {
      work.run();
      return true;
    });
  }
}
