package io.flannelvlan.dockerplugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.flannelvlan.dockerplugin.IpamApi.ReleaseAddressRequest;
import io.flannelvlan.dockerplugin.IpamApi.ReleasePoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestAddressRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestAddressResponse;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolRequest;
import io.flannelvlan.dockerplugin.IpamApi.RequestPoolResponse;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import java.util.Map;
import java.util.function.Function;

/** {@code IpamDriver} between JSON and records. */
final class IpamVerbs {

  private static final String GATEWAY = "com.docker.network.gateway";

  static final Map<String, Verb<IpamApi>> ALL =
      Map.of(
          "RequestPool",
          Verb.of(IpamVerbs::requestPool, (api, r) -> reply(api.requestPool(r))),
          "ReleasePool",
          Verb.quiet(f -> new ReleasePoolRequest(poolId(f)), IpamApi::releasePool),
          "RequestAddress",
          Verb.of(IpamVerbs::requestAddress, (api, r) -> reply(api.requestAddress(r))),
          "ReleaseAddress",
          Verb.quiet(
              f -> new ReleaseAddressRequest(poolId(f), f.required("Address", IpAddress::parse)),
              IpamApi::releaseAddress));

  private IpamVerbs() {}

  private static RequestPoolRequest requestPool(Fields body) {
    return new RequestPoolRequest(
        body.text("AddressSpace"),
        body.optional("Pool", Cidr::parse),
        body.optional("SubPool", Cidr::parse),
        body.texts("Options"),
        body.flag("V6", false));
  }

  private static RequestAddressRequest requestAddress(Fields body) {
    Fields options = body.object("Options");
    return new RequestAddressRequest(
        poolId(body),
        body.optional("Address", IpAddress::parse),
        options.text("RequestAddressType").equals(GATEWAY),
        options.optional("com.docker.network.endpoint.macaddress", MacAddress::parse),
        options.optional("com.docker.network.endpoint.name", Function.identity()));
  }

  private static String poolId(Fields body) {
    return body.required("PoolID");
  }

  private static ObjectNode reply(RequestPoolResponse response) {
    ObjectNode reply = Json.object();
    reply.put("PoolID", response.poolId());
    reply.put("Pool", response.pool().toString());
    response.gateway().ifPresent(g -> reply.putObject("Data").put(GATEWAY, g.toString()));
    return reply;
  }

  private static ObjectNode reply(RequestAddressResponse response) {
    return Json.object().put("Address", response.address().toString());
  }
}
