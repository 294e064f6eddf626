package io.flannelvlan.dockerplugin;

import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** Keeps what it is asked; answers by a function, or always the same. */
final class TestingIpam implements IpamApi {

  final List<Object> requests = new CopyOnWriteArrayList<>();

  volatile Function<Object, Optional<?>> answers = _ -> Optional.empty();

  private <T> T answer(Object request, Class<T> type, T otherwise) {
    requests.add(request);
    return answers.apply(request).map(type::cast).orElse(otherwise);
  }

  @Override
  public RequestPoolResponse requestPool(RequestPoolRequest request) {
    return answer(
        request,
        RequestPoolResponse.class,
        new RequestPoolResponse("pool", Cidr.parse("10.2.0.0/16"), Optional.empty()));
  }

  @Override
  public void releasePool(ReleasePoolRequest request) {
    var _ = answer(request, Object.class, "");
  }

  @Override
  public RequestAddressResponse requestAddress(RequestAddressRequest request) {
    return answer(
        request,
        RequestAddressResponse.class,
        new RequestAddressResponse(InterfaceAddress.parse("10.2.20.5/24")));
  }

  @Override
  public void releaseAddress(ReleaseAddressRequest request) {
    var _ = answer(request, Object.class, "");
  }
}
