package io.flannelvlan.driver;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * Sets the log up, by code: reading a configuration file would cost a tenth of the start. It goes
 * to standard error, where systemd and dockerd both pick it up.
 */
final class Logging {

  /**
   * In UTC, on all hosts alike: what happened is seldom one host's matter alone. It also spares the
   * start the zones of this world.
   */
  private static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX, Z} %-5level %msg%n";

  private Logging() {}

  static void start(LogSettings settings) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder(settings, context));
    appender.start();
    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.addAppender(appender);
    // Libraries talk about themselves at INFO; what the world should know is in our own lines.
    root.setLevel(Level.WARN);
    context.getLogger("io.flannelvlan").setLevel(Level.valueOf(settings.level().name()));
    if (settings.level() == LogSettings.Level.TRACE) {
      root.setLevel(Level.DEBUG);
    }
    // grpc reports each failed reconnect with a stack; the connection's own state says it better.
    context.getLogger("io.grpc").setLevel(Level.ERROR);
    context.getLogger("io.etcd").setLevel(Level.ERROR);
  }

  /**
   * What the JDK and gRPC have to say, too. Neither speaks before etcd is asked, and to find the
   * JDK's own logging would keep the socket waiting.
   */
  static void bridge() {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
  }

  private static Encoder<ILoggingEvent> encoder(LogSettings settings, LoggerContext context) {
    Encoder<ILoggingEvent> encoder =
        switch (settings.format()) {
          case TEXT -> {
            PatternLayoutEncoder text = new PatternLayoutEncoder();
            text.setPattern(PATTERN);
            yield text;
          }
          case JSON -> new JsonEncoder();
        };
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }
}
