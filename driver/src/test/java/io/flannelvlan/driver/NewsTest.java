package io.flannelvlan.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class NewsTest {

  private static final Duration EVER = Duration.ofSeconds(20);
  private static final Duration NOW = Duration.ZERO;

  private final News news = new News();

  @Test
  void theFirstLookWaitsForNone() throws InterruptedException {
    assertThat(news.await(EVER)).isTrue();
    assertThat(news.await(NOW)).isFalse();
  }

  @Test
  void whoWaitsHearsOnceWhateverIsToldInTheMeantime() throws InterruptedException {
    news.await(NOW);
    CompletableFuture<Void> told =
        CompletableFuture.runAsync(
            () -> {
              news.tell();
              news.tell();
            },
            Thread::startVirtualThread);
    assertThat(news.await(EVER)).isTrue();
    told.join();
    news.tell();
    assertThat(news.await(NOW)).isTrue();
    assertThat(news.await(NOW)).isFalse();
  }

  @Test
  void whatComesWhileASwarmIsGatheredIsHeardWithIt() throws InterruptedException {
    news.await(NOW);
    news.tell();
    news.gather(Duration.ofMillis(1));
    assertThat(news.await(NOW)).isFalse();
  }

  @Test
  void anInterruptEndsTheWaitingAlsoBesideNews() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> news.await(EVER)).isInstanceOf(InterruptedException.class);
  }
}
