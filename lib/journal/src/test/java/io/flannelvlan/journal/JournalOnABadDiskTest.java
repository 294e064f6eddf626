package io.flannelvlan.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flannelvlan.journal.StubbornDisk.Refusal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A full, a failing and a read-only disk: new work is refused, the old stays, and it recovers. */
class JournalOnABadDiskTest {

  record Count(int value) {}

  @TempDir Path dir;
  private final StubbornDisk disk = new StubbornDisk();

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void refusedCommitChangesNothingAndTheNextOneSucceedsWithoutAReopen(Refusal refusal)
      throws Exception {
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      disk.refusal = refusal;
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> journal.commit(new Batch().put(table, "b", new Count(2))))
            .isInstanceOf(JournalException.class)
            .hasMessageContaining("cannot write journal " + dir.resolve("journal"))
            .hasMessageContaining("make " + dir + " writable");
        assertThat(table.records()).containsOnlyKeys("a");
      }
      disk.refusal = Refusal.NOTHING;
      journal.commit(new Batch().put(table, "c", new Count(3)));
    }
    assertThat(reread()).isEqualTo(Map.of("a", new Count(1), "c", new Count(3)));
  }

  /** The line stands in the file as a whole; only the caller was told that it does not count. */
  @ParameterizedTest
  @EnumSource(names = {"WRITE", "FORCE"})
  void refusedCommitDoesNotComeBackWithACrash(Refusal refusal) throws Exception {
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      disk.refusal = refusal;
      assertThatThrownBy(() -> journal.commit(new Batch().put(table, "b", new Count(2))))
          .isInstanceOf(JournalException.class);
      assertThat(afterACrash()).containsOnlyKeys("a");
    }
  }

  /** After a failed force the old file's blocks may not be what the kernel takes them for. */
  @Test
  void afterAFailedForceTheWholeIsWrittenIntoANewFile() throws Exception {
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      Object old = Files.getAttribute(dir.resolve("journal"), "unix:ino");
      disk.refusal = Refusal.FORCE;
      assertThatThrownBy(() -> journal.commit(new Batch().put(table, "b", new Count(2))))
          .hasMessageContaining("Input/output error");
      disk.refusal = Refusal.NOTHING;
      journal.commit(new Batch().put(table, "b", new Count(2)));
      assertThat(Files.getAttribute(dir.resolve("journal"), "unix:ino")).isNotEqualTo(old);
      assertThat(afterACrash()).isEqualTo(Map.of("a", new Count(1), "b", new Count(2)));
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void whatIsGivenBackIsGoneAtOnceAndOnTheDiskWithTheNextCommit(Refusal refusal) throws Exception {
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)).put(table, "b", new Count(2)));
      disk.refusal = refusal;
      journal.commit(new Batch().remove(table, "a").givingBack());
      assertThat(table.records()).containsOnlyKeys("b");
      assertThat(afterACrash()).containsOnlyKeys("a", "b");
      assertThatThrownBy(() -> journal.commit(new Batch().put(table, "c", new Count(3))))
          .isInstanceOf(JournalException.class);
      disk.refusal = Refusal.NOTHING;
      journal.commit(new Batch().put(table, "d", new Count(4)));
      assertThat(afterACrash()).containsOnlyKeys("b", "d");
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void whatIsGivenBackIsOnTheDiskWithoutAnotherCommitOnceThatTakesIt(Refusal refusal)
      throws Exception {
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)).put(table, "b", new Count(2)));
      disk.refusal = refusal;
      journal.commit(new Batch().remove(table, "a").givingBack());
      journal.catchUp();
      assertThat(afterACrash()).containsOnlyKeys("a", "b");
      disk.refusal = Refusal.NOTHING;
      journal.catchUp();
      assertThat(afterACrash()).containsOnlyKeys("b");
    }
  }

  @Test
  void oneThatIsOpenedReadOnlyHasItsRecordsAndTakesNewOnesOnceItCan() throws Exception {
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)).put(table, "b", new Count(2)));
    }
    disk.refusal = Refusal.EVERYTHING;
    try (Journal journal = open(dir)) {
      assertThat(journal.isNew()).isFalse();
      assertThat(journal.isDamaged()).isFalse();
      Table<Count> table = journal.table("n", Count.class);
      assertThat(table.records()).containsOnlyKeys("a", "b");
      assertThatThrownBy(() -> journal.commit(new Batch().put(table, "c", new Count(3))))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("make " + dir + " writable");
      journal.commit(new Batch().remove(table, "b").givingBack());
      assertThat(table.records()).containsOnlyKeys("a");
      assertThat(afterACrash()).containsOnlyKeys("a", "b");
      disk.refusal = Refusal.NOTHING;
      journal.commit(new Batch().put(table, "c", new Count(3)));
      assertThat(afterACrash()).containsOnlyKeys("a", "c");
    }
    assertThat(reread()).containsOnlyKeys("a", "c");
  }

  @Test
  void whereThereIsNoneAndNoneCanBeMadeTheStartIsRefused() throws Exception {
    disk.refusal = Refusal.EVERYTHING;
    for (String begun : new String[] {"", "flannelvlan jou"}) {
      Files.writeString(dir.resolve("journal"), begun);
      assertThatThrownBy(() -> open(dir))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("cannot open journal " + dir.resolve("journal"))
          .hasMessageContaining("must be able to write in " + dir);
      assertThat(dir.resolve("journal")).hasContent(begun);
    }
    Files.delete(dir.resolve("journal"));
    assertThatThrownBy(() -> open(dir)).hasMessageContaining("cannot open journal");
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void aDamagedOneIsWorkedWithAndKeptAsideOnceTheDiskTakesSomething(Refusal refusal)
      throws Exception {
    Path file = dir.resolve("journal");
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      journal.commit(new Batch().put(table, "a", new Count(1)));
      journal.commit(new Batch().put(table, "b", new Count(2)));
    }
    String damaged = Files.readString(file).replaceFirst("\"a\"", "\"z\"");
    Files.writeString(file, damaged);
    disk.refusal = refusal;
    try (Journal journal = open(dir)) {
      Table<Count> table = journal.table("n", Count.class);
      assertThat(journal.isDamaged()).isTrue();
      assertThat(table.records()).containsOnlyKeys("b");
      assertThat(file).hasContent(damaged);
      disk.refusal = Refusal.NOTHING;
      journal.commit(new Batch().put(table, "c", new Count(3)));
      assertThat(journal.isDamaged()).isTrue();
      assertThat(dir.resolve("journal.damaged")).hasContent(damaged);
    }
    assertThat(reread()).containsOnlyKeys("b", "c");
  }

  private Journal open(Path directory) {
    return Journal.open(directory, path -> JournalFile.open(path, disk));
  }

  /** What a second process would read if this one ended now; the page cache outlives it. */
  private Map<String, Count> afterACrash() throws Exception {
    Path other = Files.createTempDirectory(dir, "after");
    Files.copy(
        dir.resolve("journal"), other.resolve("journal"), StandardCopyOption.REPLACE_EXISTING);
    return read(other);
  }

  private Map<String, Count> reread() {
    return read(dir);
  }

  private static Map<String, Count> read(Path directory) {
    try (Journal journal = Journal.open(directory)) {
      return new TreeMap<>(journal.table("n", Count.class).records());
    }
  }
}
