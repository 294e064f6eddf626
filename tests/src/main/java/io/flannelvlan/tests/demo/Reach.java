package io.flannelvlan.tests.demo;

import io.flannelvlan.tests.lab.Station;

/** What gets through from one to another. */
enum Reach {
  ALL,
  NOTHING,
  /** Ping without TCP or the reverse: wrong whatever was expected. */
  SOME;

  /** Tries ping and 4 MiB by TCP; a path that ought to be open gets the time to open. */
  static Reach toContainer(Station from, Member to, Reach expected) {
    String address = to.address();
    boolean ping = expected == ALL ? from.reaches(address) : from.pings(address);
    // Its name first: somebody else may have the same address, and the large answer's timeout is
    // long.
    boolean itself = from.whoAnswers(address).filter(to.container().name()::equals).isPresent();
    return of(ping, itself && from.downloads(address));
  }

  /** A gateway serves nothing: ping only. */
  static Reach toGateway(Station from, String address, Reach expected) {
    boolean ping = expected == ALL ? from.reaches(address) : from.pings(address);
    return of(ping, ping);
  }

  private static Reach of(boolean ping, boolean tcp) {
    return ping == tcp ? (ping ? ALL : NOTHING) : SOME;
  }
}
