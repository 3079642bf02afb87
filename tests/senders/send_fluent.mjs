// Sends events over the forward protocol and waits until each is acknowledged; prints how many were, or what went wrong.
//
// Usage: node send_fluent.mjs fluent-logger|fluent-org MODE HOST PORT PROOF
// PROOF is null, or {"sharedKey", "username", "password", "ca"}; with `ca`, a file, the connection is encrypted.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [logger, eventMode, host, port, proof] = process.argv.slice(2);
const { ca, ...proofs } = JSON.parse(proof) ?? {};
const security = proofs.sharedKey ? { clientHostname: "web-1", ...proofs } : undefined;
const tls = ca ? { ca: readFileSync(ca) } : undefined;
const EVENTS = [1, 2, 3].map((number) => ({
  message: `${eventMode} ${number} – 決済 "ok"\n\tdone`,
  level: "warn",
  hostname: "web-1",
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  items: number,
  ratio: 0.25,
  ok: true,
  none: null,
  tags: ["a", { b: 1 }],
}));
const at = (event) => 1_770_091_506_250 + event.items * 1000;

/** Resolves once every event was acknowledged. */
const send = {
  "fluent-logger": async () => {
    const { createFluentSender, EventTime } = require("fluent-logger");
    const quiet = { info() {}, error() {} };
    const options = { host, port: Number(port), eventMode, security, requireAckResponse: true, internalLogger: quiet, tls: !!tls, tlsOptions: tls };
    const sender = createFluentSender("app", { ...options, enableReconnect: false, ackResponseTimeout: 20_000 });
    const emit = (event) =>
      new Promise((resolve, reject) => {
        sender.on("error", reject);
        const done = (error) => (error ? reject(error) : resolve());
        sender.emit("logger", event, EventTime.fromTimestamp(at(event)), done);
      });
    await Promise.all(EVENTS.map(emit));
    sender.end();
  },
  "fluent-org": async () => {
    const { FluentClient } = require("@fluent-org/logger");
    const socket = { host, port: Number(port), tls, disableReconnect: true };
    const client = new FluentClient("app", { eventMode, security, socket, ack: { ackTimeout: 20_000 }, milliseconds: true });
    // Nothing but its socket says that it is turned away.
    const refused = new Promise((_, reject) => client.socketOn("error", reject));
    const emit = async () => {
      await client.connect();
      await Promise.all(EVENTS.map((event) => client.emit("org", event, new Date(at(event)))));
    };
    await Promise.race([emit(), refused]);
    await client.disconnect();
  },
}[logger];

const said = await send().then(
  () => ({ acknowledged: EVENTS.length }),
  (error) => ({ error: error.message }),
);
console.log(JSON.stringify(said));
process.exit();
