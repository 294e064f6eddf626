package io.flannelvlan.netlink;

import java.nio.ByteBuffer;

/**
 * The kernel's verdict on a request or a dump.
 *
 * <pre>
 *  NLMSG_ERROR: | s32 error | struct nlmsghdr of the request | [its payload] | attributes |
 *  NLMSG_DONE:  | s32 error | attributes |
 *  error: 0 or minus errno; the payload is missing if NLM_F_CAPPED is set, the attributes
 *  (NLMSGERR_ATTR_*) if NLM_F_ACK_TLVS is not
 * </pre>
 *
 * @param error 0 or an errno
 * @param text the kernel's words, or empty
 */
record Acknowledgement(int error, String text) {

  private static final int ATTR_MSG = 1;

  static Acknowledgement read(Message message) {
    ByteBuffer payload = message.payload();
    if (payload.remaining() < 4) {
      // A DONE without a number ends a dump of old kernels.
      return new Acknowledgement(0, "");
    }
    int header = 4 + (message.type() == Message.ERROR ? requestLength(message) : 0);
    boolean explained = (message.flags() & Message.ACK_TLVS) != 0;
    String text = explained ? text(message.attributes(header)) : "";
    return new Acknowledgement(-payload.getInt(0), text);
  }

  private static int requestLength(Message message) {
    if ((message.flags() & Message.CAPPED) != 0) {
      return Message.HEADER;
    }
    if (message.payload().remaining() < 4 + Message.HEADER) {
      throw new MalformedMessageException("an error that names no request");
    }
    int length = message.payload().getInt(4);
    if (length < Message.HEADER || length > message.payload().remaining() - 4) {
      throw new MalformedMessageException("an error about a request of length " + length);
    }
    return Align.up(length);
  }

  private static String text(AttributeReader in) {
    String text = "";
    while (in.next()) {
      if (in.type() == ATTR_MSG) {
        text = in.string();
      }
    }
    return text;
  }
}
