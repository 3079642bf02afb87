// Reports an error, a message, a trace, a log line, a check-in and a metric with npm's Sentry; prints what the SDK was
// about to send.
//
// Usage: node send_sentry.mjs URL [KEY]
import * as Sentry from "@sentry/node";

const [url, key = "public"] = process.argv.slice(2);
const sent = {};
Sentry.init({
  dsn: `${url.replace("://", `://${key}@`)}/43`,
  release: "web@2.0",
  environment: "production",
  serverName: "web-2",
  tracesSampleRate: 1,
  enableLogs: true,
  beforeSend(event) {
    const { event_id, timestamp, contexts, breadcrumbs } = event;
    // Which comes first here depends on how fast the source around their stacks was read.
    const kind = event.message ? "message" : "error";
    sent[kind] = { event_id, timestamp, trace_id: contexts.trace.trace_id, breadcrumbs: breadcrumbs.length };
    return event;
  },
});
Sentry.setUser({ id: "taro", email: "taro@shop.example" });
Sentry.setTag("color", "red");
for (let number = 0; number < 500; number += 1) {
  Sentry.addBreadcrumb({ category: "crumb", message: `crumb ${number} of taro`, data: { password: "hunter2" } });
}

function priceOf(item) {
  return item.price.amount;
}
try {
  priceOf({});
} catch (error) {
  Sentry.captureException(error);
}
Sentry.captureMessage("disk nearly full – 決済", "warning");
Sentry.logger.info(Sentry.logger.fmt`paid ${1200} yen`);

// Each times itself: the first begins a trace.
const at = (milliseconds) => new Date(1_770_091_506_000 + milliseconds);
const server = Sentry.startInactiveSpan({
  name: "GET /items/:id",
  op: "http.server",
  forceTransaction: true,
  startTime: at(0),
  attributes: {
    "sentry.segment.name.source": "route",
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.path": "/items/7",
  },
});
const query = Sentry.startInactiveSpan({
  name: "SELECT price FROM prices",
  op: "db",
  parentSpan: server,
  startTime: at(100),
  attributes: { "db.system": "mysql", rows: 3, ratio: 0.25, ok: true },
});
query.setStatus({ code: 2, message: "unavailable" });
query.end(at(150));
server.end(at(250));

Sentry.captureCheckIn({ monitorSlug: "nightly", status: "in_progress" });
Sentry.metrics.count("orders", 3, { attributes: { color: "red" } });
const flushed = await Sentry.close(20_000);
const ids = (span) => ({ trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId });
console.log(JSON.stringify({ flushed, sent, server: ids(server), query: ids(query) }));
