package io.flannelvlan.netlink;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The answers to the requests of one send, matched by sequence number. */
final class Verdicts {

  private static final Logger log = LoggerFactory.getLogger(Verdicts.class);

  private final List<Request> requests;
  private final int base;
  private final @Nullable Reply[] replies;
  private int missing;

  /** Waits for answers to {@code requests}, which are numbered from {@code base} on. */
  Verdicts(List<Request> requests, int base) {
    this.requests = requests;
    this.base = base;
    this.replies = new @Nullable Reply[requests.size()];
    this.missing = requests.size();
  }

  int missing() {
    return missing;
  }

  /** Takes a message; what answers none of the requests is left over from an earlier timeout. */
  void take(Message message) {
    int place = message.sequence() - base;
    if (message.type() != Message.ERROR || place < 0 || place >= replies.length) {
      return;
    }
    Request request = requests.get(place);
    Acknowledgement verdict = Acknowledgement.read(message);
    if (verdict.error() == 0 && !verdict.text().isEmpty()) {
      log.debug("{}: done, but the kernel says: {}", request, verdict.text());
    }
    put(place, verdict.error(), verdict.text());
  }

  /** Gives up on all answers that are still missing. */
  void fillMissing(int errno) {
    for (int i = 0; i < replies.length; i++) {
      if (replies[i] == null) {
        put(i, errno, "the kernel's answer was lost; it may be done or not");
      }
    }
  }

  private void put(int place, int error, String text) {
    Request request = requests.get(place);
    if (replies[place] == null) {
      missing--;
    }
    replies[place] =
        new Reply(
            request,
            error == 0
                ? Optional.empty()
                : Optional.of(NetlinkException.of(request.toString(), error, text)));
  }

  /** All answers, in the order of the requests. */
  List<Reply> replies() {
    List<Reply> all = new ArrayList<>();
    for (Reply reply : replies) {
      if (reply == null) {
        throw new IllegalStateException("an answer is missing");
      }
      all.add(reply);
    }
    return all;
  }
}
