package io.flannelvlan.tests.chaos;

/** What running containers may notice of a fault. */
enum Effect {
  NONE,
  /** For a moment packets may be lost; how many is measured. */
  PACKETS,
  /** They end, or lose their link. */
  RESTART
}
