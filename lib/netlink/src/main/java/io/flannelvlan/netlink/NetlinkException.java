package io.flannelvlan.netlink;

/**
 * The kernel's refusal: what was asked of it, the error number, and its own words where it gave any
 * ("A VXLAN device with the specified VNI already exists").
 */
public final class NetlinkException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final Errno errno;
  private final int number;

  private NetlinkException(int number, String message) {
    super(message);
    this.errno = Errno.of(number);
    this.number = number;
  }

  /**
   * A refusal with the number that a system call or an answer carried.
   *
   * @param operation the command that failed, as {@code ip} or {@code bridge} would spell it
   * @param kernelText the kernel's extended acknowledgement; empty if it only sent a number
   */
  static NetlinkException of(String operation, int number, String kernelText) {
    Errno errno = Errno.of(number);
    String name = errno == Errno.OTHER ? "errno " + number : errno.name();
    String words = kernelText.isEmpty() ? "" : ": " + kernelText;
    return new NetlinkException(
        number, "%s: %s (%s)%s".formatted(operation, errno.text(), name, words));
  }

  public Errno errno() {
    return errno;
  }

  /** The bare number, for one that {@link Errno} does not list. */
  int number() {
    return number;
  }

  /** What was to be added stands already (possibly with other properties). */
  public boolean isExists() {
    return errno == Errno.EEXIST;
  }

  /**
   * What was to be changed or deleted is not there. The kernel has a number per table: ENODEV for
   * links, EADDRNOTAVAIL for addresses, ENOENT for neighbours and forwarding entries, ESRCH for
   * routes.
   */
  public boolean isAbsent() {
    return errno == Errno.ENOENT
        || errno == Errno.ENODEV
        || errno == Errno.ESRCH
        || errno == Errno.ENXIO
        || errno == Errno.EADDRNOTAVAIL;
  }
}
