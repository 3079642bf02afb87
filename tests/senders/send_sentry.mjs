// Reports an error and a message with npm's Sentry; prints what the SDK was about to send.
//
// Usage: node send_sentry.mjs URL [KEY]
import * as Sentry from "@sentry/node";

const [url, key = "public"] = process.argv.slice(2);
const sent = [];
Sentry.init({
  dsn: `${url.replace("://", `://${key}@`)}/43`,
  release: "web@2.0",
  environment: "production",
  serverName: "web-2",
  beforeSend(event) {
    sent.push({ event_id: event.event_id, timestamp: event.timestamp, trace_id: event.contexts.trace.trace_id });
    return event;
  },
});
Sentry.setUser({ id: "taro", email: "taro@shop.example" });
Sentry.setTag("color", "red");

function priceOf(item) {
  return item.price.amount;
}
try {
  priceOf({});
} catch (error) {
  Sentry.captureException(error);
}
Sentry.captureMessage("disk nearly full – 決済", "warning");
const flushed = await Sentry.close(20_000);
console.log(JSON.stringify({ flushed, sent }));
