package io.flannelvlan.driver;

import io.flannelvlan.cni.AttachmentId;
import io.flannelvlan.cni.CniApi.Wish;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * What an ADD made, or was about to make; the journal's record, which stands before its endpoints
 * and goes after them.
 *
 * @param netns the sandbox's file
 * @param ending whether its end has begun: what is there still goes, even if nobody calls again
 */
record CniAttachment(
    AttachmentId id, String netns, List<Link> links, Instant since, boolean ending) {

  /** One of its links. */
  record Link(String vlan, String ifname) {}

  CniAttachment {
    links = List.copyOf(links);
  }

  static CniAttachment of(AttachmentId id, Path netns, List<Wish> wishes, Instant since) {
    return new CniAttachment(
        id,
        netns.toString(),
        wishes.stream().map(wish -> new Link(wish.vlan(), wish.ifname())).toList(),
        since,
        /* ending= */ false);
  }

  CniAttachment end() {
    return new CniAttachment(id, netns, links, since, /* ending= */ true);
  }

  String key() {
    return key(id);
  }

  static String key(AttachmentId id) {
    return Digest.of(id.network(), id.container(), id.ifname());
  }

  /** The endpoints' ids. */
  List<String> endpoints() {
    return links.stream().map(link -> endpoint(link.ifname())).toList();
  }

  /** The id of the endpoint whose link has that name in the sandbox. */
  String endpoint(String ifname) {
    return endpoint(id, ifname);
  }

  static String endpoint(AttachmentId id, String ifname) {
    return Digest.of(id.network(), id.container(), id.ifname(), ifname);
  }
}
