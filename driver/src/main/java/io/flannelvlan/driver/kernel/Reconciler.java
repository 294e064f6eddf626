package io.flannelvlan.driver.kernel;

import io.flannelvlan.netlink.NetlinkException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only one who changes the kernel: one platform thread that compares what should be with a dump
 * and applies the difference.
 *
 * <p>Level, not edge: whatever wakes it (a handler, etcd, a kernel event, the tick), a pass begins
 * from the wishes and the dump of that moment. {@link #lock} guards the fields below it and is
 * never held over a system call.
 */
public final class Reconciler implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

  /** Finds what no event told of. */
  private static final Duration TICK = Duration.ofSeconds(30);

  /** After a failed pass; twice as long each time that the same fails again. */
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);

  private static final Duration LAST_RETRY = Duration.ofSeconds(30);

  /** dockerd changes its rules in swarms; a look at the firewall now and then serves them all. */
  private static final Duration LOOK_GAP = Duration.ofMillis(200);

  /** How soon a change is found that the kernel tells nobody of, without a whole pass. */
  private static final Duration GLANCE = Duration.ofMillis(250);

  /** Kernel events come in swarms when a container starts; one pass serves them all. */
  private static final Duration EVENT_DELAY = Duration.ofMillis(100);

  /** How long nobody must have waited for a pass before one does its chores. */
  private static final Duration QUIET = Duration.ofMillis(10);

  /** Chores are put off no longer than this, however busy the host is. */
  private static final Duration CHORES_PUT_OFF = Duration.ofMillis(500);

  /** A pass repeats until nothing is left to do; deleting an incompatible link takes one more. */
  private static final int ROUNDS = 4;

  /** Each change that is modelled copies the table that it is about. */
  private static final int MOST_MODELLED = 100;

  private static final String FIREWALL_WAITS =
      "the records of this host were lost, and are being had back from Docker and etcd: the firewall"
          + " stays as it is until then";

  private final Kernel kernel;
  private final Firewall firewall = new Firewall();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private List<CompletableFuture<Outcome>> waiting = new ArrayList<>();
  private long nextPassNanos = System.nanoTime();
  private long lastTickNanos = System.nanoTime();
  private long lastSettleNanos = System.nanoTime() - QUIET.toNanos();
  private boolean closed;

  /** Since when chores wait, of the kernel thread alone; 0 if none do. */
  private long choresPutOffNanos;

  /** When somebody's changes of the firewall were looked at, of the kernel thread alone. */
  private long lastLookNanos = System.nanoTime() - LOOK_GAP.toNanos();

  /** What the log has said already, of the kernel thread alone. */
  private Map<String, List<String>> told = Map.of();

  /** After how long what failed is tried again, and when; of the kernel thread alone. */
  private Duration retry = FIRST_RETRY;

  private long retryNanos = System.nanoTime();

  /**
   * A reconciler, not yet started.
   *
   * @param kernel used by the reconciler's thread alone
   */
  public Reconciler(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * Begins to work.
   *
   * @param desired the wishes of this moment, for the kernel as it is; called on the kernel thread,
   *     must not block
   */
  public void start(Function<KernelState, Desired> desired) {
    Thread.ofPlatform().name("kernel").start(() -> run(desired));
  }

  /** Something may have changed: begins a pass soon. */
  public void wake() {
    schedule(EVENT_DELAY);
  }

  /** Somebody may have touched nft or iptables: the next pass looks at them too. */
  public void suspectFirewall() {
    firewall.suspect();
    wake();
  }

  /** Something is not wanted any more: begins a pass as soon as nobody is kept waiting by it. */
  public void wakeWhenQuiet() {
    schedule(QUIET);
  }

  /**
   * Waits for the first pass that begins after this call.
   *
   * @throws TimeoutException if it is not over by then; it goes on all the same
   */
  public Outcome settle(Duration timeout) throws TimeoutException, InterruptedException {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the reconciler is closed");
      }
      waiting.add(outcome);
      lastSettleNanos = System.nanoTime();
      nextPassNanos = lastSettleNanos;
      changed.signal();
    } finally {
      lock.unlock();
    }
    try {
      return outcome.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the kernel thread ended", e.getCause());
    }
  }

  private void schedule(Duration delay) {
    lock.lock();
    try {
      long at = System.nanoTime() + delay.toNanos();
      if (at - nextPassNanos < 0) {
        nextPassNanos = at;
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void run(Function<KernelState, Desired> desired) {
    try (kernel) {
      for (var served = awaitPass(); served != null; served = awaitPass()) {
        Outcome outcome = pass(desired);
        served.forEach(waiter -> waiter.complete(outcome));
      }
    } finally {
      // However it ended, nobody may wait for a pass that never comes.
      close();
      waiting().forEach(w -> w.completeExceptionally(new IllegalStateException("closed")));
    }
  }

  private List<CompletableFuture<Outcome>> waiting() {
    lock.lock();
    try {
      List<CompletableFuture<Outcome>> all = waiting;
      waiting = new ArrayList<>();
      return all;
    } finally {
      lock.unlock();
    }
  }

  /** Those who wait for the pass that is due now; null when it is time to end. */
  private @org.jspecify.annotations.Nullable List<CompletableFuture<Outcome>> awaitPass() {
    lock.lock();
    try {
      long left;
      while (!closed && (left = nextPassNanos - System.nanoTime()) > 0) {
        if (changed.awaitNanos(Math.min(left, GLANCE.toNanos())) <= 0 && left > GLANCE.toNanos()) {
          glance();
        }
      }
      if (closed) {
        return null;
      }
      if (waiting.isEmpty() && System.nanoTime() - lastTickNanos > TICK.toNanos()) {
        lastTickNanos = System.nanoTime();
        firewall.suspect();
      }
      nextPassNanos = System.nanoTime() + TICK.toNanos();
      return waiting();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts the kernel thread", e);
    } finally {
      lock.unlock();
    }
  }

  /** Begins a pass if something is gone of which no event told. */
  private void glance() {
    lock.unlock();
    boolean lost;
    try {
      lost = kernel.lostSettingQuietly() || firewall.changedQuietly();
    } catch (RuntimeException | Error e) {
      // Such as no file descriptor left. It must not end the thread; the next pass tells.
      LOG.debug("a glance at the kernel failed", e);
      lost = false;
    } finally {
      lock.lock();
    }
    if (lost) {
      nextPassNanos = System.nanoTime();
    }
  }

  private Outcome pass(Function<KernelState, Desired> desired) {
    List<Change> applied = new ArrayList<>();
    Map<String, List<String>> failures = new TreeMap<>();
    KernelState state = KernelState.empty();
    try {
      boolean chores = doesChores();
      boolean again = true;
      for (int round = 0; again && round < ROUNDS; round++) {
        failures.clear();
        state = kernel.dump();
        Desired wished = desired.apply(state);
        // Before any link: no packet of a new VLAN passes without its rules.
        Predicate<String> mayCome = _ -> true;
        if (wished.extent() == Desired.Extent.BEGUN) {
          fail(failures, Outcome.EVERYTHING, FIREWALL_WAITS);
        } else {
          Optional<String> trouble = firewall.settle(wished.firewall(), chores && mayLook());
          if (trouble.isPresent()) {
            fail(failures, Outcome.EVERYTHING, trouble.get());
            mayCome = firewall::isApart;
          }
        }
        Plan plan = Plan.between(wished, state);
        wished.faults().forEach(fault -> fail(failures, fault.vlan(), fault.reason()));
        plan.conflicts().forEach(c -> fail(failures, c.vlan(), c.text()));
        List<Change> changes = plan.changes();
        changes = chores ? changes : Waits.chores(changes);
        changes = Waits.newLinks(changes, mayCome);
        List<Change> done = apply(changes, failures);
        applied.addAll(done);
        again = needsAnotherLook(changes, done);
        if (!again || round == ROUNDS - 1) {
          for (Change change : done) {
            state = state.after(change);
          }
        }
      }
    } catch (NetlinkException e) {
      LOG.debug("kernel pass failed", e);
      fail(failures, Outcome.EVERYTHING, String.valueOf(e.getMessage()));
    } catch (RuntimeException | Error e) {
      // A fault of ours. The thread goes on: the next wish may be one that it can fulfil, and
      // without it nothing on this host would be put right any more.
      fail(failures, Outcome.EVERYTHING, e.toString());
      if (!failures.equals(told)) {
        LOG.error("kernel pass failed", e);
      }
    }
    tell(failures);
    return new Outcome(applied, failures, state);
  }

  /** Once, not at every retry: what stands in the way may stand there for hours. */
  private void tell(Map<String, List<String>> failures) {
    boolean again = failures.equals(told);
    if (!again) {
      failures.forEach((vlan, texts) ->
          texts.stream()
              .filter(text -> !told.getOrDefault(vlan, List.of()).contains(text))
              .forEach(text -> LOG.warn("VLAN {}: not done yet: {}", vlan, text)));
      told = failures;
    }
    if (!failures.isEmpty()) {
      scheduleRetry(again);
    }
  }

  /** A pass that somebody else woke and that failed alike leaves the next retry where it was. */
  private void scheduleRetry(boolean again) {
    long now = System.nanoTime();
    if (!again || now - retryNanos >= 0) {
      Duration longer = retry.multipliedBy(2);
      retry = !again ? FIRST_RETRY : longer.compareTo(LAST_RETRY) < 0 ? longer : LAST_RETRY;
      retryNanos = now + retry.toNanos();
    }
    schedule(Duration.ofNanos(retryNanos - now));
  }

  private boolean mayLook() {
    long now = System.nanoTime();
    if (!firewall.isSuspect()) {
      return false;
    }
    if (now - lastLookNanos < LOOK_GAP.toNanos()) {
      schedule(LOOK_GAP);
      return false;
    }
    lastLookNanos = now;
    return true;
  }

  /**
   * Whether this pass does what is slow and what nobody waits for: the kernel takes 16 ms to delete
   * a link, nft and iptables 5 ms each to be looked at. With others waiting that is put off.
   */
  private boolean doesChores() {
    long now = System.nanoTime();
    boolean quiet;
    lock.lock();
    try {
      quiet = now - lastSettleNanos >= QUIET.toNanos();
    } finally {
      lock.unlock();
    }
    if (quiet || (choresPutOffNanos != 0 && now - choresPutOffNanos >= CHORES_PUT_OFF.toNanos())) {
      choresPutOffNanos = 0;
      return true;
    }
    choresPutOffNanos = choresPutOffNanos == 0 ? now : choresPutOffNanos;
    schedule(QUIET.multipliedBy(2));
    return false;
  }

  /**
   * The kernel acknowledged what it did, so the model stands for a second dump. Not so after a link
   * went, which takes along what the plan took for standing, nor after half a success; nor after
   * more changes than a dump costs, as in the first pass of a boot.
   */
  private static boolean needsAnotherLook(List<Change> planned, List<Change> done) {
    boolean partly = !done.isEmpty() && done.size() < planned.size();
    return partly
        || done.size() > MOST_MODELLED
        || done.stream().anyMatch(change -> change instanceof Change.DeleteLink);
  }

  private List<Change> apply(List<Change> changes, Map<String, List<String>> failures) {
    List<Change> done = new ArrayList<>();
    List<Optional<String>> errors = kernel.apply(changes);
    for (int i = 0; i < changes.size(); i++) {
      Change change = changes.get(i);
      if (errors.get(i).isEmpty()) {
        LOG.info("{}", change);
        done.add(change);
      } else {
        fail(failures, change.vlan(), change + ": " + errors.get(i).get());
      }
    }
    return done;
  }

  private static void fail(Map<String, List<String>> failures, String vlan, String text) {
    failures.computeIfAbsent(vlan, _ -> new ArrayList<>()).add(text);
  }

  /** Ends the thread; what stands in the kernel stays, so that traffic runs on. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }
}
