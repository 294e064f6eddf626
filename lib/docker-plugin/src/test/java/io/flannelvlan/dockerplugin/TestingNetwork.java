package io.flannelvlan.dockerplugin;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** Keeps what it is asked; answers by a function, or with the least that dockerd accepts. */
final class TestingNetwork implements NetworkApi {

  final List<Object> requests = new CopyOnWriteArrayList<>();

  volatile Function<Object, Optional<?>> answers = _ -> Optional.empty();

  private <T> T answer(Object request, Class<T> type, T otherwise) {
    requests.add(request);
    return answers.apply(request).map(type::cast).orElse(otherwise);
  }

  private void take(Object request) {
    var _ = answer(request, Object.class, "");
  }

  @Override
  public GwAllocCheckResponse gwAllocCheck(GwAllocCheckRequest request) {
    return answer(request, GwAllocCheckResponse.class, NetworkApi.super.gwAllocCheck(request));
  }

  @Override
  public void createNetwork(CreateNetworkRequest request) {
    take(request);
  }

  @Override
  public void deleteNetwork(DeleteNetworkRequest request) {
    take(request);
  }

  @Override
  public CreateEndpointResponse createEndpoint(CreateEndpointRequest request) {
    return answer(
        request, CreateEndpointResponse.class, new CreateEndpointResponse(EndpointInterface.NONE));
  }

  @Override
  public EndpointOperInfoResponse endpointOperInfo(EndpointOperInfoRequest request) {
    return answer(request, EndpointOperInfoResponse.class, EndpointOperInfoResponse.EMPTY);
  }

  @Override
  public void deleteEndpoint(DeleteEndpointRequest request) {
    take(request);
  }

  @Override
  public JoinResponse join(JoinRequest request) {
    return answer(
        request,
        JoinResponse.class,
        new JoinResponse(
            new InterfaceName("fc0", "eth"), Optional.empty(), Optional.empty(), List.of(), false));
  }

  @Override
  public void leave(LeaveRequest request) {
    take(request);
  }

  @Override
  public void programExternalConnectivity(ProgramExternalConnectivityRequest request) {
    take(request);
  }

  @Override
  public void revokeExternalConnectivity(RevokeExternalConnectivityRequest request) {
    take(request);
  }

  @Override
  public void discoverNew(DiscoveryNotification notification) {
    take(notification);
  }
}
