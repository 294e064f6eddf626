package io.flannelvlan.dockerplugin;

/** A port that an image or {@code --expose} names; nothing is published by it. */
public record ExposedPort(Protocol proto, int port) {}
