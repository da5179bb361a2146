// A line of JSON in (writer, reader, hex), a line out: what Avro Java makes of it. Values are JSON; bytes are {"b": hex}, a value of
// one of several types {"name": value}.

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.DecoderFactory;

public class Oracle {
  static final ObjectMapper JSON = new ObjectMapper();

  static Object plain(Object value, Schema schema) {
    if (schema.getType() == Schema.Type.UNION) {
      var branch = schema.getTypes().get(GenericData.get().resolveUnion(schema, value));
      long others = schema.getTypes().stream().filter(one -> one.getType() != Schema.Type.NULL).count();
      var inner = plain(value, branch);
      return value == null || others < 2 ? inner : Map.of(branch.getFullName(), inner);
    }
    if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long) return value;
    if (value instanceof Float single) return (double) single;
    if (value instanceof Double) return value;
    if (value instanceof ByteBuffer buffer) {
      byte[] bytes = new byte[buffer.remaining()];
      buffer.duplicate().get(bytes);
      return Map.of("b", HexFormat.of().formatHex(bytes));
    }
    if (value instanceof GenericFixed fixed) return Map.of("b", HexFormat.of().formatHex(fixed.bytes()));
    if (value instanceof Collection<?> items) {
      var list = new ArrayList<>();
      for (var item : items) list.add(plain(item, schema.getElementType()));
      return list;
    }
    if (value instanceof Map<?, ?> map) {
      var made = new LinkedHashMap<String, Object>();
      for (var entry : map.entrySet()) made.put(entry.getKey().toString(), plain(entry.getValue(), schema.getValueType()));
      return made;
    }
    if (value instanceof IndexedRecord record) {
      var made = new LinkedHashMap<String, Object>();
      for (var field : record.getSchema().getFields()) made.put(field.name(), plain(record.get(field.pos()), field.schema()));
      return made;
    }
    return value.toString();
  }

  static Map<String, Object> answer(String line) {
    var answer = new LinkedHashMap<String, Object>();
    try {
      var asked = JSON.readTree(line);
      var writer = new Schema.Parser().parse(asked.get("writer").asText());
      answer.put("canonical", SchemaNormalization.toParsingForm(writer));
      byte[] print = SchemaNormalization.parsingFingerprint("CRC-64-AVRO", writer);
      answer.put("fingerprint", HexFormat.of().formatHex(print));
      var reader = new Schema.Parser().parse(asked.get("reader").asText());
      var bytes = new ByteArrayInputStream(HexFormat.of().parseHex(asked.get("hex").asText()));
      var decoder = DecoderFactory.get().directBinaryDecoder(bytes, null);
      answer.put("value", plain(new GenericDatumReader<Object>(writer, reader).read(null, decoder), reader));
      answer.put("left", bytes.available());
    } catch (Exception | StackOverflowError error) {
      answer.put("error", error.getClass().getSimpleName() + ": " + error.getMessage());
    }
    return answer;
  }

  public static void main(String[] arguments) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = input.readLine()) != null; ) System.out.println(JSON.writeValueAsString(answer(line)));
  }
}
