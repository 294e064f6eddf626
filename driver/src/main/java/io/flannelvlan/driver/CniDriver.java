package io.flannelvlan.driver;

import io.flannelvlan.cni.AttachmentId;
import io.flannelvlan.cni.CniApi;
import io.flannelvlan.cni.CniException;
import io.flannelvlan.cni.CniException.Code;
import io.flannelvlan.dockerplugin.Refused;
import io.flannelvlan.driver.kernel.KernelState;
import io.flannelvlan.driver.kernel.Sandbox;
import io.flannelvlan.etcd.EtcdException;
import io.flannelvlan.journal.Batch;
import io.flannelvlan.journal.Journal;
import io.flannelvlan.journal.JournalException;
import io.flannelvlan.journal.Table;
import io.flannelvlan.netlink.NetlinkException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * CNI's commands. What a container has by one ADD is an attachment; calls about one go one after
 * the other.
 *
 * <p>Nobody can be asked later what was attached, as Docker can. So attachments have a journal of
 * their own, in the directory that lives as long as network namespaces do: until the host's next
 * boot, and through a loss of the state directory.
 */
final class CniDriver implements CniApi {

  private static final Logger LOG = LoggerFactory.getLogger(CniDriver.class);

  private final Journal journal;
  private final Table<CniAttachment> attachments;
  private final CniEndpoints endpoints;
  private final Supplier<KernelState> kernel;
  private final Clock clock;
  private final EndpointLocks locks = new EndpointLocks();

  /**
   * CNI for this host's runtimes.
   *
   * @param journal that of the attachments alone
   */
  CniDriver(Journal journal, CniEndpoints endpoints, Supplier<KernelState> kernel, Clock clock) {
    this.journal = journal;
    this.attachments = journal.table("cni", CniAttachment.class);
    this.endpoints = endpoints;
    this.kernel = kernel;
    this.clock = clock;
  }

  @Override
  public List<Attached> add(AttachmentId id, Path netns, List<Wish> wishes) {
    return add(id, sandbox(netns), wishes, /* leadsOut= */ true);
  }

  /** A further link for a sandbox that has its default route, if any, already. */
  Attached attach(AttachmentId id, Path netns, Wish wish) {
    return add(id, new Sandbox(netns), List.of(wish), /* leadsOut= */ false).getFirst();
  }

  private List<Attached> add(
      AttachmentId id, Sandbox sandbox, List<Wish> wishes, boolean leadsOut) {
    return during(
        id,
        () -> {
          find(id).ifPresent(this::makeWay);
          CniAttachment made = CniAttachment.of(id, sandbox.netns(), wishes, clock.instant());
          return add(sandbox, made, wishes, leadsOut);
        });
  }

  private static Sandbox sandbox(Path netns) {
    Sandbox sandbox = new Sandbox(netns);
    if (!sandbox.exists()) {
      throw new CniException(
          Code.INVALID_ENVIRONMENT,
          "CNI_NETNS: " + netns + " is no network namespace of a container");
    }
    return sandbox;
  }

  /** A runtime must not add twice; what a crash left of an earlier attempt is no attachment. */
  private void makeWay(CniAttachment before) {
    KernelState state = kernel.get();
    if (!before.ending() && isInUse(before, state)) {
      throw new CniException(
          Code.REFUSED, before.id() + " was added already and is in use: DEL goes first");
    }
    remove(before);
  }

  private List<Attached> add(
      Sandbox sandbox, CniAttachment made, List<Wish> wishes, boolean leadsOut) {
    journal.commit(new Batch().put(attachments, made.key(), made));
    try {
      List<Attached> all = new ArrayList<>();
      for (Wish wish : wishes) {
        boolean first = leadsOut && all.isEmpty();
        all.add(endpoints.attach(sandbox, made.endpoint(wish.ifname()), wish, first));
      }
      LOG.info("CNI: {} has {}", made.id(), all.stream().map(Attached::address).toList());
      return all;
    } catch (NetlinkException e) {
      remove(made);
      throw e.isExists()
          ? new CniException(
              Code.INVALID_ENVIRONMENT,
              "CNI_IFNAME: a link of that name is in " + sandbox + " already: " + e.getMessage(),
              e)
          : new CniException(Code.IO_FAILURE, sandbox + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      remove(made);
      throw e;
    }
  }

  @Override
  public void delete(AttachmentId id, Optional<Path> netns) {
    during(
        id,
        // One that is unknown may still have the link that bears the runtime's own name.
        () ->
            find(id)
                .ifPresentOrElse(
                    this::remove,
                    () -> endpoints.remove(List.of(CniAttachment.endpoint(id, id.ifname())))));
  }

  private void remove(CniAttachment attachment) {
    // Else an attachment whose endpoints went last would look as if the records had lost them.
    journal.commit(new Batch().put(attachments, attachment.key(), attachment.end()).givingBack());
    endpoints.remove(attachment.endpoints());
    journal.commit(new Batch().remove(attachments, attachment.key()).givingBack());
    LOG.info("CNI: {} is gone", attachment.id());
  }

  @Override
  public void check(AttachmentId id, Path netns, List<Expected> expected) {
    CniAttachment attachment =
        find(id).orElseThrow(() -> new CniException(Code.UNKNOWN_CONTAINER, id + " is unknown"));
    Sandbox sandbox = sandbox(netns);
    KernelState state = kernel.get();
    for (CniAttachment.Link link : attachment.links()) {
      Expected wanted =
          expected.stream()
              .filter(one -> one.ifname().equals(link.ifname()))
              .findFirst()
              .orElseThrow(() ->
                  new CniException(
                      Code.INVALID_CONFIGURATION,
                      "\"prevResult\" lacks " + link.ifname() + " of " + id));
      endpoints.check(sandbox, attachment.endpoint(link.ifname()), wanted, state);
    }
  }

  @Override
  public void collect(String network, Set<AttachmentId> valid) {
    for (CniAttachment each : all()) {
      if (each.id().network().equals(network) && !valid.contains(each.id())) {
        LOG.info("CNI: the runtime no longer has {}", each.id());
        delete(each.id(), Optional.empty());
      }
    }
  }

  @Override
  public void status(Optional<String> vlan) {
    try {
      vlan.ifPresent(endpoints::requireUsable);
    } catch (CniException | Refused | EtcdException e) {
      throw new CniException(Code.NOT_AVAILABLE, String.valueOf(e.getMessage()), e);
    }
  }

  /** All attachments, as they are now. */
  List<CniAttachment> all() {
    return List.copyOf(attachments.values());
  }

  /** Whether a link of it leads into a sandbox. */
  boolean isInUse(CniAttachment attachment, KernelState state) {
    return attachment.endpoints().stream().anyMatch(id -> endpoints.isInSandbox(id, state));
  }

  /** As DEL; nothing if it is another by now. */
  void giveUp(CniAttachment attachment) {
    unlessItChanged(attachment, "given up", this::remove);
  }

  /** Takes over what sandboxes have by attachments, and the daemon's other records lost. */
  void haveBack() {
    for (CniAttachment each : all()) {
      if (!each.ending()) {
        unlessItChanged(each, "had back", this::haveBack);
      }
    }
  }

  /** What fails for now, as when etcd is away, is tried again by the next round. */
  private void unlessItChanged(CniAttachment seen, String done, Consumer<CniAttachment> work) {
    try {
      during(seen.id(), () -> find(seen.id()).filter(seen::equals).ifPresent(work));
    } catch (CniException e) {
      LOG.warn("CNI: {} is not {} yet: {}", seen.id(), done, e.getMessage());
    }
  }

  private void haveBack(CniAttachment attachment) {
    Sandbox sandbox = new Sandbox(Path.of(attachment.netns()));
    for (CniAttachment.Link link : attachment.links()) {
      String endpoint = attachment.endpoint(link.ifname());
      if (sandbox.exists()
          && endpoints.haveBack(sandbox, endpoint, link, attachment.since(), kernel.get())) {
        LOG.warn("CNI: {} of {} was unknown here: taken over", link, attachment.id());
      }
    }
  }

  /** The VLANs that an attachment is in. */
  Set<String> vlans() {
    return attachments.values().stream()
        .flatMap(each -> each.links().stream())
        .map(CniAttachment.Link::vlan)
        .collect(Collectors.toSet());
  }

  private Optional<CniAttachment> find(AttachmentId id) {
    return attachments.get(CniAttachment.key(id));
  }

  /** Failures that somebody can do something about become CNI's errors. */
  private <T> T during(AttachmentId id, Supplier<T> work) {
    try {
      return locks.during(CniAttachment.key(id), work);
    } catch (EtcdException e) {
      throw new CniException(Code.TRY_AGAIN_LATER, String.valueOf(e.getMessage()), e);
    } catch (Refused e) {
      Code code = e.getCause() instanceof EtcdException ? Code.TRY_AGAIN_LATER : Code.REFUSED;
      throw new CniException(code, e.getMessage(), e);
    } catch (JournalException e) {
      throw new CniException(Code.IO_FAILURE, String.valueOf(e.getMessage()), e);
    }
  }

  private void during(AttachmentId id, Runnable work) {
    during(id, EndpointLocks.supplying(work));
  }
}
