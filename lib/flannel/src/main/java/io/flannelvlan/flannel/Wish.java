package io.flannelvlan.flannel;

import io.flannelvlan.net.Cidr;
import java.util.Optional;

/** Which subnet a host would like. */
public sealed interface Wish {

  /** The one it has, else any that is free. */
  record Any() implements Wish {}

  /** One it had once; if that is gone, any. */
  record Remembered(Cidr subnet) implements Wish {}

  /** This one or none, also beside another that the host has. */
  record Exactly(Cidr subnet) implements Wish {}

  /** One that lies in this range: the host's own if it does, else a free one. */
  record Within(Cidr range) implements Wish {}

  /** Any, and this one only if no other is free. */
  record Sparing(Cidr subnet) implements Wish {}

  static Wish any() {
    return new Any();
  }

  static Wish remembered(Cidr subnet) {
    return new Remembered(subnet);
  }

  static Wish exactly(Cidr subnet) {
    return new Exactly(subnet);
  }

  static Wish within(Cidr range) {
    return new Within(range);
  }

  static Wish sparing(Cidr subnet) {
    return new Sparing(subnet);
  }

  /** The subnet that the host had once, if it asks for that one. */
  default Optional<Cidr> remembered() {
    return switch (this) {
      case Remembered wish -> Optional.of(wish.subnet());
      case Any _, Exactly _, Within _, Sparing _ -> Optional.empty();
    };
  }

  /** True if a subnet that the host has already grants the wish. */
  default boolean isGrantedBy(Cidr own) {
    return switch (this) {
      case Any _, Remembered _, Sparing _ -> true;
      case Exactly wish -> own.equals(wish.subnet());
      case Within wish -> wish.range().contains(own);
    };
  }
}
