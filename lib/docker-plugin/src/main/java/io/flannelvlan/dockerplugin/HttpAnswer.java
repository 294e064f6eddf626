package io.flannelvlan.dockerplugin;

/**
 * What goes back for one {@link HttpCall}.
 *
 * @param body sent as UTF-8
 */
record HttpAnswer(int status, String contentType, String body) {}
