// ONNX Runtime by its Java API: each folder given has model.onnx and rows.txt; answers.txt is written beside them.
//
// rows.txt: a line per input, "name<TAB>double|string<TAB>n<TAB>width", then its n * width values, one a line: a double's
// bits as a whole number, a text as it is. answers.txt: a line per output, "name<TAB>type<TAB>count", then as many values.

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;

public class Runtime {
  static OnnxTensor doubles(OrtEnvironment env, java.util.Iterator<String> lines, int n, int width) throws Exception {
    var values = new double[n][width];
    for (var row : values) for (int i = 0; i < width; i++) row[i] = Double.longBitsToDouble(Long.parseLong(lines.next()));
    return OnnxTensor.createTensor(env, values);
  }

  static OnnxTensor texts(OrtEnvironment env, java.util.Iterator<String> lines, int n, int width) throws Exception {
    var values = new String[n][width];
    for (var row : values) for (int i = 0; i < width; i++) row[i] = lines.next();
    return OnnxTensor.createTensor(env, values);
  }

  static void write(PrintWriter out, String name, Object value) {
    if (value instanceof double[][] rows) {
      out.printf("%s\tdouble\t%d%n", name, rows.length * (long) rows[0].length);
      for (var row : rows) for (double one : row) out.println(Double.doubleToRawLongBits(one));
    } else if (value instanceof double[] row) {
      out.printf("%s\tdouble\t%d%n", name, row.length);
      for (double one : row) out.println(Double.doubleToRawLongBits(one));
    } else if (value instanceof long[] row) {
      out.printf("%s\tlong\t%d%n", name, row.length);
      for (long one : row) out.println(one);
    } else if (value instanceof boolean[] row) {
      out.printf("%s\tboolean\t%d%n", name, row.length);
      for (boolean one : row) out.println(one ? 1 : 0);
    } else {
      var row = (String[]) value;
      out.printf("%s\tstring\t%d%n", name, row.length);
      for (var one : row) out.println(one);
    }
  }

  public static void main(String[] folders) throws Exception {
    var env = OrtEnvironment.getEnvironment();
    for (var each : folders) {
      var folder = Path.of(each);
      var lines = Files.readAllLines(folder.resolve("rows.txt")).iterator();
      var inputs = new HashMap<String, OnnxTensor>();
      while (lines.hasNext()) {
        var head = lines.next().split("\t");
        int n = Integer.parseInt(head[2]), width = Integer.parseInt(head[3]);
        inputs.put(head[0], head[1].equals("double") ? doubles(env, lines, n, width) : texts(env, lines, n, width));
      }
      try (var session = env.createSession(folder.resolve("model.onnx").toString());
          var found = session.run(inputs);
          var out = new PrintWriter(folder.resolve("answers.txt").toFile(), "UTF-8")) {
        for (var one : found) write(out, one.getKey(), one.getValue().getValue());
      }
    }
  }
}
