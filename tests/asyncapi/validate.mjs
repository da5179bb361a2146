// AsyncAPI documents on stdin, a JSON array of texts → what the official parser says of each, a JSON array of arrays.
import { readFileSync } from 'node:fs';
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser } from '@asyncapi/parser';

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const found = [];
for (const text of JSON.parse(readFileSync(0, 'utf8'))) {
  const { diagnostics } = await parser.parse(text);
  found.push(diagnostics.map((one) =>
    `${['error', 'warning', 'info', 'hint'][one.severity]} ${one.code} ${one.path.join('.')}: ${one.message}`));
}
process.stdout.write(JSON.stringify(found));
