package io.flannelvlan.journal;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.flannelvlan.net.Cidr;
import io.flannelvlan.net.InterfaceAddress;
import io.flannelvlan.net.IpAddress;
import io.flannelvlan.net.MacAddress;
import io.flannelvlan.net.Vni;
import java.io.IOException;
import java.time.Instant;
import java.util.function.Function;

/** JSON in which addresses read as an operator would write them. */
final class JournalJson {

  private JournalJson() {}

  static ObjectMapper mapper() {
    SimpleModule net = new SimpleModule("net");
    asText(net, IpAddress.class, IpAddress::parse);
    asText(net, Cidr.class, Cidr::parse);
    asText(net, InterfaceAddress.class, InterfaceAddress::parse);
    asText(net, MacAddress.class, MacAddress::parse);
    asText(net, Vni.class, Vni::parse);
    asText(net, Instant.class, Instant::parse);
    return JsonMapper.builder()
        .addModules(net, new Jdk8Module())
        // A record written by a newer release may have members that this one does not know.
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .build();
  }

  private static <T> void asText(SimpleModule module, Class<T> type, Function<String, T> parse) {
    module.addSerializer(type, ToStringSerializer.instance);
    module.addDeserializer(
        type,
        new JsonDeserializer<>() {
          @Override
          public T deserialize(JsonParser in, DeserializationContext context) throws IOException {
            return parse.apply(in.getValueAsString(""));
          }
        });
  }
}
