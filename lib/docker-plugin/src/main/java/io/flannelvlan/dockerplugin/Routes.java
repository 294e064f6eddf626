package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Verb name to typed handler; the only place that writes {@code Err}.
 *
 * <p>The {@link Manifest}'s verbs are answered at once; the others wait until the handlers are
 * ready. Knows no HTTP beyond a status.
 */
final class Routes {

  private static final Logger log = LoggerFactory.getLogger(Routes.class);

  private static final String NETWORK = "NetworkDriver.";
  private static final String IPAM = "IpamDriver.";

  /** Verbs that change nothing, and so leave no trace at INFO. */
  private static final Set<String> READ_ONLY =
      Set.of(
          NETWORK + "EndpointOperInfo",
          NETWORK + "GwAllocCheck",
          NETWORK + "DiscoverNew",
          NETWORK + "DiscoverDelete");

  /** Members that say what a call is about. Options are not among them: they may hold secrets. */
  private static final List<String> IDS =
      List.of("NetworkID", "EndpointID", "SandboxKey", "PoolID", "Pool", "SubPool", "Address");

  private final Map<String, ObjectNode> fixed;
  private final Map<String, Verb<Handlers>> verbs = new TreeMap<>();
  private final Duration patience;
  private final CompletableFuture<Handlers> handlers = new CompletableFuture<>();

  /**
   * Answers the manifest's verbs.
   *
   * @param patience how long the other verbs wait for their handlers
   */
  Routes(Manifest manifest, Duration patience) {
    this.fixed = fixed(manifest);
    this.patience = patience;
    NetworkVerbs.ALL.forEach((name, verb) -> put(NETWORK + name, verb, Handlers::network));
    IpamVerbs.ALL.forEach((name, verb) -> put(IPAM + name, verb, Handlers::ipam));
  }

  private <A> void put(String name, Verb<A> verb, Function<Handlers, A> whose) {
    verbs.put(name, body -> verb.read(body).compose(whose));
  }

  /** Every verb that has an answer. */
  Set<String> verbs() {
    Set<String> all = new TreeSet<>(verbs.keySet());
    all.addAll(fixed.keySet());
    return all;
  }

  /** Lets the waiting verbs through, and all later ones. */
  void ready(Handlers readyHandlers) {
    if (!handlers.complete(readyHandlers)) {
      throw new IllegalStateException("the handlers were ready before");
    }
  }

  /** A call whose body is read; what it holds may be let go of. */
  @FunctionalInterface
  interface Call {

    /** Does it. Throws nothing: all that fails is a reply. */
    Reply perform();
  }

  /** Reads the call, whatever the body holds. */
  Call read(String verb, byte[] body) {
    ObjectNode known = fixed.get(verb);
    if (known != null) {
      log.debug("{}", verb);
      return () -> Reply.ok(known);
    }
    Verb<Handlers> codec = verbs.get(verb);
    if (codec == null) {
      return () -> unknown(verb);
    }
    try {
      Fields fields = Fields.parse(body);
      String what = verb + ids(fields);
      Function<Handlers, ObjectNode> deed = codec.read(fields);
      return () -> perform(verb, what, deed);
    } catch (Malformed e) {
      log.warn("{} is malformed: {}", verb, e.getMessage());
      return () -> Reply.error(Reply.BAD_REQUEST, e.getMessage());
    }
  }

  /** 404 tells dockerd that a verb is not implemented, which it accepts for some. */
  static Reply unknown(String verb) {
    return Reply.error(
        Reply.NOT_FOUND, Malformed.oneLine("flannelvlan has no verb \"" + verb + "\""));
  }

  private Reply perform(String verb, String what, Function<Handlers, ObjectNode> deed) {
    long start = System.nanoTime();
    try {
      ObjectNode reply = deed.apply(handlers());
      Level level = READ_ONLY.contains(verb) ? Level.DEBUG : Level.INFO;
      log.atLevel(level).log("{} in {} ms", what, since(start));
      return Reply.ok(reply);
    } catch (Refused e) {
      log.info("{} refused in {} ms: {}", what, since(start), e.getMessage());
      log.debug("{} was refused here", what, e);
      return Reply.error(Reply.FAILED, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Reply.error(Reply.FAILED, "flannelvlan is stopping; try " + verb + " again");
    } catch (RuntimeException | Error e) {
      // A bug is not dressed up, but dockerd must get an answer: without one it waits for ever.
      log.error("{} failed in {} ms by a bug", what, since(start), e);
      return Reply.error(Reply.FAILED, "internal error in flannelvlan's " + verb + ": " + e);
    }
  }

  private Handlers handlers() throws InterruptedException {
    try {
      return handlers.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new Refused(
          "flannelvlan is still starting and did nothing yet; try again in a moment, and if that "
              + "does not help see its log",
          e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the handlers never fail to be ready", e);
    }
  }

  private static String ids(Fields fields) {
    StringBuilder ids = new StringBuilder();
    for (String name : IDS) {
      String text = fields.text(name).replaceAll("[\\p{Cntrl}\\s]", "?");
      if (!text.isEmpty()) {
        // Twelve digits of a long id are as many as Docker's own short ids show.
        boolean isLongId = name.endsWith("ID") && text.length() == 64;
        int end = isLongId ? 12 : Math.min(text.length(), 80);
        ids.append(' ').append(name).append('=').append(text, 0, end);
      }
    }
    return ids.toString();
  }

  private static String since(long start) {
    return String.format(Locale.ROOT, "%.1f", (System.nanoTime() - start) / 1e6);
  }

  private static Map<String, ObjectNode> fixed(Manifest manifest) {
    ObjectNode implemented = Json.object();
    implemented.putArray("Implements").add("NetworkDriver").add("IpamDriver");
    NetworkApi.Capabilities network = manifest.network();
    IpamApi.Capabilities ipam = manifest.ipam();
    return Map.of(
        "Plugin.Activate",
        implemented,
        NETWORK + "GetCapabilities",
        Json.object()
            .put("Scope", wire(network.scope()))
            .put("ConnectivityScope", wire(network.connectivityScope()))
            .put("GwAllocChecker", network.gwAllocChecker()),
        IPAM + "GetCapabilities",
        Json.object()
            .put("RequiresMACAddress", ipam.requiresMacAddress())
            .put("RequiresRequestReplay", ipam.requiresRequestReplay()),
        IPAM + "GetDefaultAddressSpaces",
        Json.object()
            .put("LocalDefaultAddressSpace", manifest.addressSpaces().local())
            .put("GlobalDefaultAddressSpace", manifest.addressSpaces().global()));
  }

  private static String wire(NetworkApi.Scope scope) {
    return switch (scope) {
      case LOCAL -> "local";
      case GLOBAL -> "global";
    };
  }
}
