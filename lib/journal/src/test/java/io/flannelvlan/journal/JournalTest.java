package io.flannelvlan.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

  record Kept(
      IpAddress ip,
      Cidr cidr,
      InterfaceAddress address,
      Optional<MacAddress> mac,
      Vni vni,
      Instant since,
      Map<String, String> options) {}

  record Count(int value) {}

  private static final Kept KEPT =
      new Kept(
          IpAddress.parse("10.2.20.5"),
          Cidr.parse("10.2.0.0/16"),
          InterfaceAddress.parse("10.2.20.5/24"),
          Optional.of(MacAddress.parse("0a:58:0a:02:14:05")),
          new Vni(2),
          Instant.parse("2026-11-22T20:00:00Z"),
          Map.of("mtu", "1400"));

  @TempDir Path dir;

  @Test
  void aCommitThatIsInterruptedCostsOnlyItself() {
    try (Journal journal = Journal.open(dir)) {
      Table<Count> table = journal.table("count", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> journal.commit(new Batch().put(table, "b", new Count(2))))
          .isInstanceOf(JournalException.class);
      assertThat(Thread.interrupted()).isTrue();
      journal.commit(new Batch().put(table, "c", new Count(3)));
    }
    try (Journal journal = Journal.open(dir)) {
      assertThat(journal.table("count", Count.class).values())
          .containsExactlyInAnyOrder(new Count(1), new Count(3));
    }
  }

  @Test
  void whoCommitsAfterTheEndWritesNothing() {
    Journal late = Journal.open(dir);
    Table<Count> table = late.table("count", Count.class);
    late.commit(new Batch().put(table, "a", new Count(1)));
    late.close();
    try (Journal next = Journal.open(dir)) {
      next.commit(new Batch().put(next.table("count", Count.class), "b", new Count(2)));
      for (int i = 0; i < 2; i++) {
        late.commit(new Batch().remove(table, "a").givingBack());
        assertThatThrownBy(() -> late.commit(new Batch().put(table, "c", new Count(3))))
            .isInstanceOf(JournalException.class);
      }
    }
    try (Journal journal = Journal.open(dir)) {
      assertThat(journal.table("count", Count.class).values())
          .containsExactlyInAnyOrder(new Count(1), new Count(2));
    }
  }

  @Test
  void whatIsCommittedIsThereAfterAReopen() {
    try (Journal journal = Journal.open(dir)) {
      Table<Kept> table = journal.table("kept", Kept.class);
      journal.commit(new Batch().put(table, "a", KEPT).put(table, "b", KEPT));
      journal.commit(new Batch().remove(table, "b"));
    }
    try (Journal journal = Journal.open(dir)) {
      Table<Kept> table = journal.table("kept", Kept.class);
      assertThat(table.get("a")).contains(KEPT);
      assertThat(table.values()).hasSize(1);
    }
  }

  @Test
  void addressesAreReadableInTheFile() throws Exception {
    try (Journal journal = Journal.open(dir)) {
      Table<Kept> table = journal.table("kept", Kept.class);
      journal.commit(new Batch().put(table, "a", KEPT));
    }
    assertThat(Files.readString(dir.resolve("journal")))
        .contains("\"10.2.20.5\"", "\"10.2.0.0/16\"", "\"0a:58:0a:02:14:05\"");
  }

  @Test
  void everyTornTailIsCutAndEverythingBeforeItKept() throws Exception {
    Path file = dir.resolve("journal");
    long good;
    try (Journal journal = Journal.open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      good = Files.size(file);
      journal.commit(new Batch().put(table, "a", new Count(2)));
    }
    byte[] whole = Files.readAllBytes(file);
    for (int cut = (int) good; cut < whole.length; cut++) {
      Files.write(file, java.util.Arrays.copyOf(whole, cut));
      try (Journal journal = Journal.open(dir)) {
        Table<Count> table = journal.table("n", Count.class);
        assertThat(table.get("a")).as("cut at %s", cut).contains(new Count(1));
        journal.commit(new Batch().put(table, "b", new Count(3)));
      }
      try (Journal journal = Journal.open(dir)) {
        assertThat(journal.table("n", Count.class).get("b")).contains(new Count(3));
      }
    }
  }

  @Test
  void whateverByteIsDamagedAllOtherCommitsAreSavedAndTheFileIsKeptAside() throws Exception {
    try (Journal journal = Journal.open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      journal.commit(new Batch().put(table, "b", new Count(2)));
      journal.commit(new Batch().put(table, "c", new Count(3)));
    }
    Path file = dir.resolve("journal");
    Path aside = dir.resolve("journal.damaged");
    byte[] bytes = Files.readAllBytes(file);
    int last = bytes.length - 1;
    for (int i = 0; i < last; i++) {
      byte[] damaged = bytes.clone();
      damaged[i] ^= 1;
      Files.write(file, damaged);
      try (Journal journal = Journal.open(dir)) {
        assertThat(journal.isDamaged()).as("byte %s", i).isTrue();
        assertThat(Files.readAllBytes(aside)).isEqualTo(damaged);
        assertThat(journal.table("n", Count.class).values()).hasSizeGreaterThanOrEqualTo(1);
      }
      try (Journal journal = Journal.open(dir)) {
        assertThat(journal.isDamaged()).as("until it is repaired").isTrue();
        assertThat(journal.table("n", Count.class).values()).hasSizeGreaterThanOrEqualTo(1);
        journal.repaired();
        assertThat(journal.isDamaged()).isFalse();
      }
    }
    assertThat(dir.resolve("journal.damaged." + last)).exists();
  }

  @Test
  void aJournalOfWhichNoLineIsLeftIsKeptAsideAndBegunAnew() throws Exception {
    try (Journal journal = Journal.open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      journal.commit(new Batch().put(table, "b", new Count(2)).remove(table, "a"));
    }
    byte[] whole = Files.readAllBytes(dir.resolve("journal"));
    Random random = new Random(3);
    for (int round = 0; round < 100; round++) {
      byte[] damaged = whole.clone();
      switch (round) {
        case 0 -> java.util.Arrays.fill(damaged, (byte) 0);
        case 1 -> random.nextBytes(damaged);
        default -> damageEachLine(damaged, random);
      }
      Files.write(dir.resolve("journal"), damaged);
      try (Journal journal = Journal.open(dir)) {
        assertThat(journal.isDamaged()).as("round %s", round).isTrue();
        assertThat(Files.readAllBytes(dir.resolve("journal.damaged"))).isEqualTo(damaged);
        Table<Count> table = journal.table("n", Count.class);
        assertThat(table.values()).isEmpty();
        journal.commit(new Batch().put(table, "c", new Count(3)));
        journal.repaired();
      }
      try (Journal journal = Journal.open(dir)) {
        assertThat(journal.table("n", Count.class).get("c")).contains(new Count(3));
      }
    }
  }

  /** One bit in each, its line feed excepted. */
  private static void damageEachLine(byte[] file, Random random) {
    int start = 0;
    for (int i = 0; i < file.length; i++) {
      if (file[i] == '\n') {
        file[start + random.nextInt(i - start)] ^= (byte) 0x80;
        start = i + 1;
      }
    }
  }

  @Test
  void aForeignFileIsNotTakenForAJournal() throws Exception {
    Files.writeString(dir.resolve("journal"), "something of the user's\n");
    assertThatThrownBy(() -> Journal.open(dir)).hasMessageContaining("is not a journal");
    assertThat(dir.resolve("journal")).hasContent("something of the user's\n");
  }

  @Test
  void aSecondOwnerIsKeptOut() {
    try (Journal journal = Journal.open(dir)) {
      assertThatThrownBy(() -> Journal.open(dir)).hasMessageContaining("another flannelvlan");
      assertThat(journal.table("n", Count.class).values()).isEmpty();
    }
    Journal.open(dir).close();
  }

  @Test
  void aRandomWalkOfCommitsAndReopensLosesNothing() throws Exception {
    Random random = new Random(7);
    Map<String, Count> expected = new TreeMap<>();
    for (int round = 0; round < 5; round++) {
      try (Journal journal = Journal.open(dir)) {
        Table<Count> table = journal.table("n", Count.class);
        assertThat(new TreeMap<>(table.records())).isEqualTo(expected);
        for (int i = 0; i < 2_000; i++) {
          String key = "k" + random.nextInt(50);
          if (random.nextInt(3) == 0) {
            journal.commit(new Batch().remove(table, key));
            expected.remove(key);
          } else {
            Count number = new Count(random.nextInt());
            journal.commit(new Batch().put(table, key, number));
            expected.put(key, number);
          }
        }
      }
    }
    // 10,000 commits of 50 records: rewritten on the way, or it would be far longer.
    assertThat(Files.size(dir.resolve("journal"))).isLessThan(400_000);
  }

  @Test
  void tablesThatNobodyAskedForSurviveARewrite() {
    try (Journal journal = Journal.open(dir)) {
      Table<Count> other = journal.table("other", Count.class);
      journal.commit(new Batch().put(other, "x", new Count(9)));
    }
    try (Journal journal = Journal.open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      for (int i = 0; i < 5_000; i++) {
        journal.commit(new Batch().put(table, "a", new Count(i)));
      }
    }
    try (Journal journal = Journal.open(dir)) {
      assertThat(journal.table("other", Count.class).get("x")).contains(new Count(9));
      assertThat(journal.table("n", Count.class).get("a")).contains(new Count(4_999));
    }
  }

  @Test
  void garbageBehindTheLastCommitIsCut() throws Exception {
    try (Journal journal = Journal.open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
    }
    Files.write(dir.resolve("journal"), new byte[512], StandardOpenOption.APPEND);
    try (Journal journal = Journal.open(dir)) {
      assertThat(journal.table("n", Count.class).get("a")).contains(new Count(1));
    }
  }
}
