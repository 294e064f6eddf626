package io.flannelvlan.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

  /** Rewrite once the file holds this many commits that a rewrite would drop… */
  private static final int MIN_COMMITS_BEFORE_REWRITE = 4096;

  /** …and this many times more commits than live records. */
  private static final int REWRITE_FACTOR = 4;

  private final Path path;
  private final FileChannel lockFile;
  private final JournalFile file;
  private final ObjectMapper json = JournalJson.mapper();
  private final ReentrantLock commitLock = new ReentrantLock();
  private final Map<String, Table<?>> tables = new LinkedHashMap<>();

  /** Records of tables that nobody has asked for yet, as they stand in the file. */
  private final Map<String, Map<String, JsonNode>> unclaimed = new TreeMap<>();

  private int commitsInFile;

  private Journal(Path path, FileChannel lockFile, JournalFile file) {
    this.path = path;
    this.lockFile = lockFile;
    this.file = file;
  }

  /**
   * Opens or makes the journal {@code directory/journal}.
   *
   * <p>A damaged one is kept aside, and what is left of it is worked with; {@link #isDamaged}
   * tells.
   *
   * @throws JournalException if another process has it, or it is no journal at all, or the disk
   *     refuses; the file is then as it was
   */
  public static Journal open(Path directory) {
    Path path = directory.resolve("journal");
    try {
      Files.createDirectories(directory);
      FileChannel lockFile = lock(directory.resolve("journal.lock"));
      try {
        Journal journal = new Journal(path, lockFile, JournalFile.open(path));
        journal.load();
        return journal;
      } catch (IOException | RuntimeException e) {
        lockFile.close();
        throw e;
      }
    } catch (IOException e) {
      throw new JournalException("cannot open journal " + path + ": " + reason(e), e);
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException _) {
      // Held by this very process; the same answer.
    }
    channel.close();
    throw new JournalException(
        path + " is locked: another flannelvlan works on this state directory");
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
      keepAside(contents);
    }
  }

  private void keepAside(JournalFile.Contents contents) throws IOException {
    if (!isDamaged()) {
      file.copyTo(aside());
    }
    rewrite();
    LOG.error(
        "journal {} was damaged in lines {} (lost by the disk, not by a crash): {} commits were"
            + " saved, the damaged file is kept as {}",
        path,
        contents.damaged(),
        contents.commits().size(),
        aside());
  }

  private Path aside() {
    return path.resolveSibling("journal.damaged");
  }

  /** Whether records may be missing, or be back that were removed, until {@link #repaired}. */
  public boolean isDamaged() {
    return Files.exists(aside());
  }

  /** What was missing is there again; the damaged file stays under another name. */
  public void repaired() {
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
   * @throws JournalException if the disk refuses; nothing has changed then, and a later commit may
   *     succeed
   */
  public void commit(Batch batch) {
    if (batch.changes().isEmpty()) {
      return;
    }
    commitLock.lock();
    try {
      file.append(encode(batch));
      commitsInFile++;
      batch.changes().forEach(Batch.Change::apply);
      rewriteIfLong();
    } catch (IOException e) {
      throw new JournalException("cannot write journal " + path + ": " + reason(e), e);
    } finally {
      commitLock.unlock();
    }
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
    ObjectNode line = json.createObjectNode();
    ObjectNode put = line.putObject("put");
    unclaimed.forEach((table, records) -> put.putObject(table).setAll(records));
    tables.forEach((name, table) -> {
      ObjectNode records = put.putObject(name);
      table.records().forEach((key, value) -> records.set(key, json.valueToTree(value)));
    });
    file.rewrite(json.writeValueAsBytes(line));
    commitsInFile = 1;
  }

  @Override
  public void close() {
    commitLock.lock();
    try (lockFile) {
      file.close();
    } catch (IOException e) {
      throw new JournalException("cannot close journal " + path + ": " + reason(e), e);
    } finally {
      commitLock.unlock();
    }
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
