package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Answers find their requests, in whatever order and shape they come. */
class VerdictsTest {

  private final List<Request> requests =
      List.of(Request.deleteLink(1), Request.deleteLink(2), Request.deleteLink(3));
  private final Verdicts verdicts = new Verdicts(requests, 10);

  @Test
  void answersAreMatchedBySequenceNumber() {
    verdicts.take(answer(12, 0, ""));
    verdicts.take(answer(10, -19, "no such link"));
    assertThat(verdicts.missing()).isEqualTo(1);
    verdicts.take(answer(11, 0, "a warning"));
    assertThat(verdicts.missing()).isZero();

    List<Reply> replies = verdicts.replies();
    assertThat(replies).extracting(Reply::request).isEqualTo(requests);
    assertThat(replies.get(0).failure().orElseThrow())
        .hasMessage("ip link del dev #1: No such device (ENODEV): no such link");
    assertThat(replies.get(1).failure()).isEmpty();
    assertThat(replies.get(2).failure()).isEmpty();
  }

  @Test
  void leftoversOfAnEarlierTimeoutAreIgnored() {
    verdicts.take(answer(9, -19, ""));
    verdicts.take(answer(13, -19, ""));
    verdicts.take(new Message(Message.NEWLINK, 0, 10, 0, ByteBuffer.allocate(16)));
    assertThat(verdicts.missing()).isEqualTo(3);
  }

  @Test
  void lostAnswersAreFailuresThatSaySo() {
    verdicts.take(answer(11, 0, ""));
    verdicts.fillMissing(Errno.ETIMEDOUT.number());
    assertThat(verdicts.missing()).isZero();
    assertThat(verdicts.replies())
        .extracting(reply -> reply.failure().map(NetlinkException::errno))
        .containsExactly(
            Optional.of(Errno.ETIMEDOUT), Optional.empty(), Optional.of(Errno.ETIMEDOUT));
    assertThat(verdicts.replies().getFirst().failure().orElseThrow())
        .hasMessage(
            "ip link del dev #1: Connection timed out (ETIMEDOUT):"
                + " the kernel's answer was lost; it may be done or not");
  }

  /** Kernels before 4.12 repeat the whole request between the number and the words. */
  @Test
  void wordsAreFoundBehindARepeatedRequest() {
    ByteBuffer payload =
        new AttributeWriter()
            .raw(ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(0, -17))
            .raw(ByteBuffer.allocate(32).order(ByteOrder.nativeOrder()).putInt(0, 32))
            .string(1, "words")
            .payload();
    assertThat(Acknowledgement.read(new Message(Message.ERROR, Message.ACK_TLVS, 1, 0, payload)))
        .isEqualTo(new Acknowledgement(17, "words"));
  }

  @Test
  void numbersWithoutANameAreShownAsNumbers() {
    assertThat(NetlinkException.of("ip link", 121, ""))
        .hasMessage("ip link: Unlisted error (errno 121)");
  }

  private static Message answer(int sequence, int error, String words) {
    AttributeWriter out =
        new AttributeWriter()
            .raw(ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(0, error))
            .raw(ByteBuffer.allocate(Message.HEADER));
    if (!words.isEmpty()) {
      out.string(1, words);
    }
    int flags = Message.CAPPED | (words.isEmpty() ? 0 : Message.ACK_TLVS);
    return new Message(Message.ERROR, flags, sequence, 0, out.payload());
  }
}
