package io.flannelvlan.dockerplugin;

/** What a {@link SocketServer} is there for. */
interface HttpAnswers {

  /** Does a call, on a virtual thread; may take its time. */
  HttpAnswer answer(HttpCall call);

  /**
   * Tells, in the words that the peer reads, of what did not become a call.
   *
   * @param reason for people
   */
  HttpAnswer refusal(int status, String reason);
}
