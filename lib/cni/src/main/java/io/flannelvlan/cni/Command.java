package io.flannelvlan.cni;

/** What a runtime may ask; each since a version of the specification. */
enum Command {
  ADD(SpecVersion.V0_3_1),
  DEL(SpecVersion.V0_3_1),
  CHECK(SpecVersion.V0_4_0),
  GC(SpecVersion.V1_1_0),
  STATUS(SpecVersion.V1_1_0),
  VERSION(SpecVersion.V0_3_1);

  private final SpecVersion since;

  Command(SpecVersion since) {
    this.since = since;
  }

  SpecVersion since() {
    return since;
  }
}
