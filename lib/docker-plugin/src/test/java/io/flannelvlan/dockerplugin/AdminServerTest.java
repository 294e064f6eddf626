package io.flannelvlan.dockerplugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What curl and the command line see. */
class AdminServerTest {

  @TempDir Path dir;
  private Path socket;
  private AdminServer server;

  /** Says what it was asked. */
  private static final AdminApi API =
      new AdminApi() {
        @Override
        public String vlans() {
          return "VLAN\nvlan001\n";
        }

        @Override
        public String remove(String vlan) {
          return switch (vlan) {
            case "used" -> throw new Refused("VLAN used is in use");
            case "odd" -> throw new IllegalStateException("a bug");
            default -> "removed " + vlan;
          };
        }

        @Override
        public String attach(Attach attach) {
          return attach.toString();
        }

        @Override
        public String detach(String target, String vlan) {
          return target + " left " + vlan;
        }

        @Override
        public CniAnswer cni(byte[] call) {
          String text = new String(call, StandardCharsets.UTF_8);
          return new CniAnswer(text.endsWith("good"), "{\"of\":" + text.length() + "}");
        }
      };

  @BeforeEach
  void start() {
    socket = dir.resolve("run/admin.sock");
    server = AdminServer.start(socket, API);
  }

  @AfterEach
  void end() {
    server.close();
  }

  @Test
  void answersAreLinesOfText() throws IOException {
    assertThat(ask("GET /vlans"))
        .startsWith("HTTP/1.1 200 OK")
        .contains("text/plain")
        .endsWith("\r\n\r\nVLAN\nvlan001\n");
    assertThat(ask("DELETE /vlans/vlan%2B1")).contains(" 200 ").endsWith("removed vlan+1\n");
  }

  @Test
  void refusalsFaultsAndUnknownQuestionsDifferByTheirStatus() throws IOException {
    assertThat(ask("DELETE /vlans/used")).contains(" 409 ").endsWith("\nVLAN used is in use\n");
    assertThat(ask("DELETE /vlans/odd")).contains(" 500 ").contains("a bug");
    assertThat(ask("GET /"))
        .contains(" 404 ")
        .endsWith("POST and DELETE /vlans/NAME/attachments, POST /cni\n");
    assertThat(ask("POST /vlans")).contains(" 405 ").endsWith("POST /cni\n");
  }

  @Test
  void theSocketIsItsOwnersAloneAndGoesWithTheServer() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    server.close();
    assertThat(socket).doesNotExist();
  }

  @Test
  void whatIsAttachedWhereIsInTheQuestion() throws IOException {
    assertThat(ask("POST /vlans/vlan002/attachments?target=%2Frun%2Fx&ifname=net1&ip=10.2.0.5"))
        .contains(
            " 200 ", "target=/run/x, vlan=vlan002, ifname=Optional[net1]", "Optional[10.2.0.5]");
    assertThat(ask("POST /vlans/vlan002/attachments?target=web&ip=x")).contains(" 409 ", "ip: ");
    assertThat(ask("POST /vlans/vlan002/attachments")).contains(" 409 ", "a target is missing");
    assertThat(ask("DELETE /vlans/vlan002/attachments?target=web")).endsWith("web left vlan002\n");
  }

  @Test
  void aCniCallIsHandedOnByteByByteAndItsStatusTellsHowItEnded() throws IOException {
    assertThat(ask("POST /cni", "A=1\0\0good"))
        .startsWith("HTTP/1.1 200 OK")
        .contains("application/json")
        .endsWith("{\"of\":9}");
    assertThat(ask("POST /cni", "bad")).contains(" 422 ").endsWith("{\"of\":3}");
  }

  private String ask(String question) throws IOException {
    return ask(question, "");
  }

  private String ask(String question, String body) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      String length = body.isEmpty() ? "" : "Content-Length: " + body.length() + "\r\n";
      channel.write(
          ByteBuffer.wrap(
              (question
                      + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      + length
                      + "\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII)));
      return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
