package io.flannelvlan.ipam;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** Several callers that do the same at the same moment. */
final class Together {

  private Together() {}

  /** What each of {@code count} callers got, all started at once. */
  static <T> List<T> run(int count, IntFunction<T> deed) throws Exception {
    CyclicBarrier start = new CyclicBarrier(count);
    List<Callable<T>> tasks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int number = i;
      tasks.add(() -> {
        start.await();
        return deed.apply(number);
      });
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<T> results = new ArrayList<>();
      for (Future<T> result : threads.invokeAll(tasks)) {
        results.add(result.get());
      }
      return results;
    }
  }
}
