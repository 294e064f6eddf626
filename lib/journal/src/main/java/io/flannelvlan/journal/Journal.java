package io.flannelvlan.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this host must not forget: tables of records, held in memory, each commit forced to one file
 * before it counts.
 *
 * <p>One process owns a journal; a lock file beside it keeps a second one out. Commits are
 * serialised by one lock, which is held over the disk write: the order on disk is the order in
 * memory. Readers of a {@link Table} never wait for it.
 */
public final class Journal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

  static final String ONLY_WHAT_RUNS =
      "What runs goes on; anything new is refused until that can be written, and needs no restart"
          + " then";

  /** Rewrite once the file holds this many commits that a rewrite would drop… */
  private static final int MIN_COMMITS_BEFORE_REWRITE = 4096;

  /** …and this many times more commits than live records. */
  private static final int REWRITE_FACTOR = 4;

  private final Path path;
  private final JournalLock lock;
  private final JournalFile file;
  private final ObjectMapper json = JournalJson.mapper();
  private final ReentrantLock commitLock = new ReentrantLock();
  private final Map<String, Table<?>> tables = new LinkedHashMap<>();

  /** Records of tables that nobody has asked for yet, as they stand in the file. */
  private final Map<String, Map<String, JsonNode>> unclaimed = new TreeMap<>();

  private int commitsInFile;

  /** Whether the file itself is damaged, and not kept aside yet. */
  private volatile boolean damagedStill;

  private Journal(Path path, JournalLock lock, JournalFile file) {
    this.path = path;
    this.lock = lock;
    this.file = file;
  }

  /**
   * Opens or makes the journal {@code directory/journal}.
   *
   * <p>A damaged one is kept aside, and what is left of it is worked with; {@link #isDamaged}
   * tells. One that is there and can't be written is worked with as well: commits are refused then,
   * until the disk takes one.
   *
   * @throws JournalException if another process has it, or it was never a journal, or there is none
   *     and none can be made; the file is then as it was
   */
  public static Journal open(Path directory) {
    return open(directory, JournalFile::open);
  }

  /** How the file is opened. */
  @FunctionalInterface
  interface Opener {
    JournalFile open(Path path) throws IOException;
  }

  static Journal open(Path directory, Opener opener) {
    Path path = directory.resolve("journal");
    try {
      Files.createDirectories(directory);
      JournalLock lock = JournalLock.take(directory.resolve("journal.lock"));
      try {
        Journal journal = new Journal(path, lock, opener.open(path));
        journal.load();
        return journal;
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw new JournalException(
          "cannot open journal "
              + path
              + ": "
              + reason(e)
              + ". flannelvlan must be able to write in "
              + directory
              + ": look at df "
              + directory
              + " and at its mount options",
          e);
    }
  }

  private void load() throws IOException {
    JournalFile.Contents contents = file.read();
    commitsInFile = contents.commits().size();
    for (String commit : contents.commits()) {
      JsonNode changes = json.readTree(commit);
      changes
          .path("put")
          .forEachEntry(
              (table, records) -> records.forEachEntry((key, value) -> raw(table).put(key, value)));
      changes
          .path("remove")
          .forEachEntry((table, keys) -> keys.forEach(key -> raw(table).remove(key.asText())));
    }
    if (!contents.damaged().isEmpty()) {
      damagedStill = true;
      LOG.error(
          "journal {} was damaged in lines {} (lost by the disk, not by a crash): {} commits were"
              + " saved, the damaged file is kept as {}",
          path,
          contents.damaged(),
          contents.commits().size(),
          aside());
      rewriteDamaged();
    }
  }

  /** A disk that takes nothing keeps the damaged file where it is, until it takes a commit. */
  private void rewriteDamaged() {
    try {
      rewrite();
    } catch (IOException e) {
      file.doubt();
      LOG.error("{}: {}. {}", path, reason(e), ONLY_WHAT_RUNS);
    }
  }

  private Path aside() {
    return path.resolveSibling("journal.damaged");
  }

  /** Whether nothing was ever committed: the first start, or one after the file was lost. */
  public boolean isNew() {
    return commitsInFile == 0;
  }

  /** Whether records may be missing, or be back that were removed, until {@link #repaired}. */
  public boolean isDamaged() {
    return damagedStill || Files.exists(aside());
  }

  /** What was missing is there again; the damaged file stays under another name. */
  public void repaired() {
    if (damagedStill) {
      throw new JournalException("journal " + path + " is damaged until the disk takes a new one");
    }
    int number = 1;
    while (Files.exists(path.resolveSibling("journal.damaged." + number))) {
      number++;
    }
    Path kept = path.resolveSibling("journal.damaged." + number);
    try {
      Files.move(aside(), kept);
      LOG.warn("journal {}: repaired; the damaged file is kept as {}", path, kept);
    } catch (IOException e) {
      throw new JournalException("cannot rename " + aside() + " to " + kept + ": " + reason(e), e);
    }
  }

  private Map<String, JsonNode> raw(String table) {
    return unclaimed.computeIfAbsent(table, _ -> new TreeMap<>());
  }

  /**
   * The table of that name; asked for once, by the one class that owns these records.
   *
   * @throws JournalException if a stored record is not of that type
   */
  public <T extends Record> Table<T> table(String name, Class<T> type) {
    commitLock.lock();
    try {
      Table<T> table = new Table<>(name);
      Map<String, JsonNode> stored = unclaimed.getOrDefault(name, Map.of());
      for (Map.Entry<String, JsonNode> record : stored.entrySet()) {
        try {
          table.records().put(record.getKey(), json.treeToValue(record.getValue(), type));
        } catch (JsonProcessingException | RuntimeException e) {
          throw new JournalException(
              "journal "
                  + path
                  + ": "
                  + name
                  + " "
                  + record.getKey()
                  + " can't be read: "
                  + reason(e),
              e);
        }
      }
      unclaimed.remove(name);
      if (tables.putIfAbsent(name, table) != null) {
        throw new IllegalStateException("table " + name + " has an owner already");
      }
      return table;
    } finally {
      commitLock.unlock();
    }
  }

  /**
   * Makes the changes durable, then visible. When it returns they survive a power cut.
   *
   * <p>What {@linkplain Batch#givingBack gives back} is visible even if the disk refuses, and
   * becomes durable with the next commit that the disk takes, or {@link #catchUp}.
   *
   * @throws JournalException if the disk refuses; nothing has changed then, and a later commit may
   *     succeed
   */
  public void commit(Batch batch) {
    if (batch.changes().isEmpty()) {
      return;
    }
    commitLock.lock();
    try {
      write(batch);
      batch.changes().forEach(Batch.Change::apply);
      rewriteIfLong();
    } finally {
      commitLock.unlock();
    }
  }

  /** Tries to write what was given back while the disk refused; nothing to do if all is written. */
  public void catchUp() {
    commitLock.lock();
    try {
      if (file.isDoubtful()) {
        rewrite();
        LOG.info("{}: what was given back meanwhile is written", path);
      }
    } catch (IOException e) {
      LOG.debug("{}: {}. What was given back waits", path, reason(e));
    } finally {
      commitLock.unlock();
    }
  }

  private void write(Batch batch) {
    try {
      if (file.isDoubtful()) {
        rewrite();
      }
      file.append(encode(batch));
      commitsInFile++;
    } catch (IOException e) {
      if (!batch.isGivingBack()) {
        throw refusal(e);
      }
      if (!file.isDoubtful()) {
        LOG.warn("{}: {}. What is given back meanwhile is written later", path, reason(e));
      }
      file.doubt();
    }
  }

  private JournalException refusal(IOException e) {
    Path directory = path.toAbsolutePath().getParent();
    return new JournalException(
        "cannot write journal "
            + path
            + ": "
            + reason(e)
            + ". What runs goes on; for anything new make "
            + directory
            + " writable (look at df "
            + directory
            + ") and try again, flannelvlan needs no restart",
        e);
  }

  private byte[] encode(Batch batch) throws IOException {
    ObjectNode line = json.createObjectNode();
    for (Batch.Change<?> change : batch.changes()) {
      String table = change.table().name();
      if (change.value().isPresent()) {
        line.withObjectProperty("put")
            .withObjectProperty(table)
            .set(change.key(), json.valueToTree(change.value().get()));
      } else {
        line.withObjectProperty("remove").withArrayProperty(table).add(change.key());
      }
    }
    return json.writeValueAsBytes(line);
  }

  /** A rewrite that fails costs only disk space: the commit that led here is durable already. */
  private void rewriteIfLong() {
    int live = tables.values().stream().mapToInt(table -> table.records().size()).sum();
    if (commitsInFile < Math.max(MIN_COMMITS_BEFORE_REWRITE, (long) REWRITE_FACTOR * live)) {
      return;
    }
    try {
      rewrite();
    } catch (IOException e) {
      LOG.warn("{}: not rewritten, it grows on: {}", path, reason(e));
    }
  }

  private void rewrite() throws IOException {
    lock.makeWhole();
    if (damagedStill && !Files.exists(aside())) {
      file.copyTo(aside());
    }
    ObjectNode line = json.createObjectNode();
    ObjectNode put = line.putObject("put");
    unclaimed.forEach((table, records) -> put.putObject(table).setAll(records));
    tables.forEach((name, table) -> {
      ObjectNode records = put.putObject(name);
      table.records().forEach((key, value) -> records.set(key, json.valueToTree(value)));
    });
    file.rewrite(json.writeValueAsBytes(line));
    damagedStill = false;
    commitsInFile = 1;
  }

  @Override
  public void close() {
    commitLock.lock();
    try (lock;
        file) {
      writeWhatIsBehind();
    } catch (IOException e) {
      throw new JournalException("cannot close journal " + path + ": " + reason(e), e);
    } finally {
      commitLock.unlock();
    }
  }

  private void writeWhatIsBehind() {
    try {
      if (file.isDoubtful()) {
        rewrite();
      }
    } catch (IOException e) {
      LOG.warn("{}: {}. What was given back of late is in it again", path, reason(e));
    }
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
