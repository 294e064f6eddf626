package io.flannelvlan.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import io.flannelvlan.netlink.LinkSetting.Group;
import io.flannelvlan.netlink.LinkSetting.Mac;
import io.flannelvlan.netlink.LinkSetting.Master;
import io.flannelvlan.netlink.LinkSetting.Mtu;
import io.flannelvlan.netlink.LinkSetting.QueueLength;
import io.flannelvlan.netlink.LinkSetting.Up;
import io.flannelvlan.netlink.Neighbor.State;
import io.flannelvlan.netlink.Tunnel.Flag;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Laws: what is written is read back as it was; what is broken is refused, and soon. */
class CodecTest {

  private static final int ROUNDS = 2_000;
  private final Random random = new Random(42);

  @Test
  void entriesSurviveARoundTrip() {
    for (int i = 0; i < ROUNDS; i++) {
      Address address =
          new Address(
              index(), interfaceAddress(), random.nextInt(256), maybe(() -> "eth0:" + index()));
      assertThat(AddressCodec.read(sent(address.put()))).isEqualTo(address);

      State[] states = State.values();
      Neighbor neighbor =
          new Neighbor(index(), ip(), maybe(this::mac), states[random.nextInt(states.length)]);
      assertThat(NeighborCodec.readNeighbor(sent(neighbor.put()))).contains(neighbor);

      FdbEntry fdb = new FdbEntry(index(), mac(), ip(), random.nextBoolean());
      assertThat(NeighborCodec.readFdb(sent(fdb.put()))).contains(fdb);

      Route route = route();
      assertThat(RouteCodec.read(sent(route.put()))).contains(route);
    }
  }

  @Test
  void linksSurviveARoundTrip() {
    for (int i = 0; i < ROUNDS; i++) {
      Tunnel tunnel = tunnel();
      List<LinkSetting> settings =
          List.of(
              new Mac(mac()),
              new Mtu(68 + random.nextInt(9000)),
              new QueueLength(random.nextInt(2000)),
              new Master(random.nextInt(3)),
              new Group(random.nextInt()),
              new Up(random.nextBoolean()));
      Link link = LinkCodec.read(sent(Request.addVxlan("flannel.1", tunnel, settings)));

      assertThat(link).isEqualTo(new Link.Vxlan(link.common(), tunnel));
      assertThat(link.missing(settings)).isEmpty();
      assertThat(link.missing(List.of(new Mtu(link.mtu() + 1), new Up(link.up()))))
          .containsExactly(new Mtu(link.mtu() + 1));
    }
  }

  @Test
  void messagesSurviveARoundTripWithAnyPayloadLength() {
    ByteBuffer out = ByteBuffer.allocate(64 * 1024).order(ByteOrder.nativeOrder());
    List<Message> messages = new ArrayList<>();
    for (int length = 0; length < 200; length++) {
      byte[] payload = new byte[length];
      random.nextBytes(payload);
      Message message =
          new Message(
              random.nextInt(0x10000),
              random.nextInt(0x10000),
              random.nextInt(),
              random.nextInt(),
              ByteBuffer.wrap(payload));
      message.writeTo(out);
      messages.add(message);
    }
    assertThat(Message.parse(out.flip())).isEqualTo(messages);
  }

  @Test
  void largePayloadsGrowAndTooLargeOnesAreRefused() {
    byte[] large = new byte[60_000];
    AttributeReader in =
        new AttributeReader(new AttributeWriter().bytes(7, large).u8(8, 200).payload());
    assertThat(in.next()).isTrue();
    assertThat(in.length()).isEqualTo(60_000);
    assertThat(in.next()).isTrue();
    assertThat(in.u8()).isEqualTo(200);
    assertThat(in.next()).isFalse();
    assertThatThrownBy(
            () -> new AttributeWriter().nested(1, all -> all.bytes(7, large).bytes(8, large)))
        .hasMessageContaining("attribute 1 would have 120012 bytes");
  }

  @Test
  void everyTruncationIsRefusedOrShorter() {
    for (String capture : Captured.ANSWERS) {
      ByteBuffer whole = Captured.datagrams(capture).getLast();
      for (int length = 0; length < whole.limit(); length++) {
        ByteBuffer cut = whole.slice(0, length);
        decodeAll(cut);
      }
    }
  }

  @Test
  void truncatedPayloadsInAValidFrameAreRefusedOrShorter() {
    for (String capture : Captured.ANSWERS) {
      for (Message message : Captured.messages(capture)) {
        for (int length = 0; length < message.payload().limit(); length += 3) {
          ByteBuffer cut = message.payload().slice(0, length).order(ByteOrder.nativeOrder());
          decode(new Message(message.type(), message.flags(), 1, 0, cut));
        }
      }
    }
  }

  @Test
  void garbageIsRefusedAndNeverHangs() {
    assertTimeoutPreemptively(
        Duration.ofSeconds(30),
        () -> {
          for (String capture : Captured.ANSWERS) {
            for (ByteBuffer datagram : Captured.datagrams(capture)) {
              for (int i = 0; i < 300; i++) {
                decodeAll(damaged(datagram));
              }
            }
          }
        });
  }

  @Test
  void lengthZeroDoesNotLoop() {
    ByteBuffer zeros = ByteBuffer.allocate(64);
    assertThatThrownBy(() -> Message.parse(zeros)).isInstanceOf(MalformedMessageException.class);
    assertThatThrownBy(() -> new AttributeReader(zeros).next())
        .hasMessage("attribute of length 0 where 64 bytes remain");
  }

  private ByteBuffer damaged(ByteBuffer datagram) {
    byte[] bytes = new byte[datagram.limit()];
    datagram.get(0, bytes);
    for (int flips = 1 + random.nextInt(8); flips > 0; flips--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return ByteBuffer.wrap(bytes);
  }

  private static void decodeAll(ByteBuffer datagram) {
    try {
      Message.parse(datagram).forEach(CodecTest::decode);
    } catch (MalformedMessageException _) {
      // The one exception that damage may cause.
    }
  }

  /** Every codec on every message, whatever its type says. */
  private static void decode(Message message) {
    List<Runnable> codecs =
        List.of(
            () -> LinkCodec.read(message),
            () -> AddressCodec.read(message),
            () -> NeighborCodec.readNeighbor(message),
            () -> NeighborCodec.readFdb(message),
            () -> RouteCodec.read(message),
            () -> EventCodec.readRtnetlink(message),
            () -> EventCodec.readNetfilter(message),
            () -> Acknowledgement.read(message));
    for (Runnable codec : codecs) {
      try {
        codec.run();
      } catch (MalformedMessageException _) {
        // As above.
      }
    }
  }

  private static Message sent(Request request) {
    ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.nativeOrder());
    request.message(1).writeTo(out);
    return Message.parse(out.flip()).getFirst();
  }

  private Route route() {
    Cidr destination = interfaceAddress().subnet();
    Route.Type[] types = Route.Type.values();
    return new Route(
        destination,
        random.nextInt(2000),
        random.nextInt(256),
        random.nextInt(256),
        types[random.nextInt(types.length)],
        maybe(this::ip),
        random.nextBoolean() ? OptionalInt.of(index()) : OptionalInt.empty(),
        random.nextBoolean(),
        maybe(this::ip),
        random.nextInt(5000));
  }

  private Tunnel tunnel() {
    EnumSet<Flag> flags = EnumSet.noneOf(Flag.class);
    for (Flag flag : Flag.values()) {
      if (random.nextBoolean()) {
        flags.add(flag);
      }
    }
    return new Tunnel(
        maybe(() -> new Vni(1 + random.nextInt(Vni.MAX))),
        random.nextBoolean() ? OptionalInt.of(index()) : OptionalInt.empty(),
        maybe(this::ip),
        maybe(this::ip),
        1 + random.nextInt(65535),
        flags);
  }

  private int index() {
    return 1 + random.nextInt(100_000);
  }

  private IpAddress ip() {
    return random.nextBoolean()
        ? IpAddress.ipv4(1 + random.nextInt(Integer.MAX_VALUE))
        : new IpAddress(IpAddress.Family.IPV6, random.nextLong(), random.nextLong() | 1);
  }

  private InterfaceAddress interfaceAddress() {
    IpAddress ip = ip();
    return new InterfaceAddress(ip, random.nextInt(ip.family().bits() + 1));
  }

  private MacAddress mac() {
    return MacAddress.random(random);
  }

  private <T> Optional<T> maybe(Supplier<T> value) {
    return random.nextBoolean() ? Optional.of(value.get()) : Optional.empty();
  }
}
