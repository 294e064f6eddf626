package io.flannelvlan.dockerengine;

import io.flannelvlan.net.IpAddress;
import java.util.Optional;

/**
 * A port as the user wished it published, {@code -p [hostIp:]hostPort[-hostPortEnd]:port/protocol}.
 *
 * @param protocol in the engine's word, such as {@code tcp}
 * @param hostIp where; absent for every address of the host
 * @param hostPort 0 if any will do
 */
public record EnginePort(
    String protocol,
    int containerPort,
    Optional<IpAddress> hostIp,
    int hostPort,
    int hostPortEnd) {}
