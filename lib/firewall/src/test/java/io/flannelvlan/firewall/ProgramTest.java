package io.flannelvlan.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgramTest {

  @Test
  void programsThatHangHoldUpNoOtherThread() throws Exception {
    List<Program.Run> hanging = new ArrayList<>();
    try {
      // Each of them would keep a carrier, if virtual threads read its output.
      for (int i = 0; i <= Runtime.getRuntime().availableProcessors(); i++) {
        hanging.add(new Program("sleep", "coreutils").begin("", "60"));
      }
      CompletableFuture<String> handler =
          CompletableFuture.supplyAsync(() -> "answer", Thread::startVirtualThread);
      assertThat(handler.get(10, TimeUnit.SECONDS)).isEqualTo("answer");
    } finally {
      hanging.forEach(run -> run.process().destroyForcibly());
    }
  }

  @Test
  void oneThatIsNotThereNamesItsPackage() {
    assertThatThrownBy(() -> new Program("no-such-program", "a-package").run(""))
        .hasMessage("run no-such-program: not found; install the package a-package");
  }
}
