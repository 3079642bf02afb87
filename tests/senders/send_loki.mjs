// Logs with winston through winston-loki, as protobuf in a snappy block or as JSON; prints the content type that it used.
//
// Usage: node send_loki.mjs json|protobuf URL [TOKEN]
import winston from "winston";
import LokiTransport from "winston-loki";

const [form, url, token] = process.argv.slice(2);
const transport = new LokiTransport({
  host: url,
  basicAuth: token ? `shop:${token}` : undefined,
  labels: { app: "shop", host: "web-1" },
  json: form === "json",
  format: winston.format.printf(({ message }) => message),
  replaceTimestamp: false,
  gracefulShutdown: false,
  timeout: 20_000,
  onConnectionError: (error) => {
    console.error(error);
    process.exit(1);
  },
});
const logger = winston.createLogger({ transports: [transport] });
const at = (milliseconds) => new Date(1_770_091_506_000 + milliseconds).toISOString();
logger.info({ message: "checkout – 決済 \"ok\"\n\tdone", timestamp: at(789), labels: { team: "web" } });
logger.info({ message: "paid", timestamp: at(1000), labels: { team: "web" } });
logger.error({ message: "refused", timestamp: at(2000), labels: { trace_id: "0af7651916cd43dd8448eb211c80319c" } });
// What was logged is with the transport once winston says so.
await new Promise((resolve) => logger.on("finish", resolve).end());
await transport.close();
console.log(JSON.stringify(transport.batcher.contentType));
