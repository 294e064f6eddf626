package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.JsonNode;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import java.util.List;
import java.util.Optional;

/** What a handler has to answer so that the recorded reply comes out. */
final class RecordedReplies {

  private RecordedReplies() {}

  static Optional<?> of(Object request, JsonNode reply) {
    return switch (request) {
      case IpamApi.RequestPoolRequest _ ->
          Optional.of(
              new IpamApi.RequestPoolResponse(
                  reply.path("PoolID").asText(),
                  Cidr.parse(reply.path("Pool").asText()),
                  Optional.empty()));
      case IpamApi.RequestAddressRequest _ ->
          Optional.of(
              new IpamApi.RequestAddressResponse(
                  InterfaceAddress.parse(reply.path("Address").asText())));
      case NetworkApi.JoinRequest _ -> Optional.of(join(reply));
      default -> Optional.empty();
    };
  }

  private static NetworkApi.JoinResponse join(JsonNode reply) {
    JsonNode name = reply.path("InterfaceName");
    return new NetworkApi.JoinResponse(
        new NetworkApi.InterfaceName(
            name.path("SrcName").asText(), name.path("DstPrefix").asText()),
        Optional.of(IpAddress.parse(reply.path("Gateway").asText())),
        Optional.empty(),
        List.of(),
        reply.path("DisableGatewayService").asBoolean());
  }
}
