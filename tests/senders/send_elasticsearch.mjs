// Stores documents with npm's client of Elasticsearch; prints what it was answered.
//
// Usage: node send_elasticsearch.mjs URL [TOKEN]
import { Client } from "@elastic/elasticsearch";

const [url, token] = process.argv.slice(2);
const auth = token ? { bearer: token } : undefined;
const client = new Client({ node: url, requestTimeout: 20_000, maxRetries: 0, compression: true, auth });
const index = "logs-shop-2026.02.03";

const said = { version: (await client.info()).version.number };
const documents = [
  {
    "@timestamp": "2026-02-03T04:05:06.789Z",
    message: "checkout – 決済 \"ok\"\n\tdone",
    level: "error",
    hostname: "web-1",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    labels: { team: "web" },
    count: 3,
    tags: ["a", { b: null }],
  },
  { "@timestamp": new Date(Date.UTC(2026, 1, 3, 4, 5, 7)), message: "half an emoji \ud83d" },
];
const { total, successful, failed } = await client.helpers.bulk({
  datasource: documents,
  onDocument: () => ({ index: { _index: index } }),
  retries: 0,
});
said.bulk = { total, successful, failed };

const dropped = [];
await client.helpers.bulk({
  datasource: [{ "@timestamp": "no time", message: "never" }],
  onDocument: () => ({ create: { _index: index } }),
  onDrop: ({ status, error }) => dropped.push({ status, type: error.type }),
  retries: 0,
});
said.dropped = dropped;

const { result, _index } = await client.index({
  index,
  document: { "@timestamp": "2026-02-03T06:00:00Z", message: "single" },
});
said.index = { result, _index };
await client.close();
console.log(JSON.stringify(said));
