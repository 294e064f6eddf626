package io.flannelvlan.driver.kernel;

import io.flannelvlan.netlink.Rtnl;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A look at the kernel for those who only ask, over a socket of their own: a question does not wait
 * for what the {@link Reconciler} has to do.
 *
 * <p>{@link #lock} is held over a dump, some hundred microseconds.
 */
public final class KernelView implements Supplier<KernelState>, AutoCloseable {

  private final Rtnl rtnl;
  private final ReentrantLock lock = new ReentrantLock();

  public KernelView(Rtnl rtnl) {
    this.rtnl = rtnl;
  }

  /**
   * The kernel as it is now.
   *
   * @throws io.flannelvlan.netlink.NetlinkException if it does not tell
   */
  @Override
  public KernelState get() {
    lock.lock();
    try {
      return KernelDump.of(rtnl).state();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    rtnl.close();
  }
}
