// Sends logs and traces with npm's OpenTelemetry over HTTP (JSON); prints ids and times that the SDK made.
//
// Usage: node send_opentelemetry.mjs URL [TOKEN]
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [url, token] = process.argv.slice(2);
const headers = token ? { authorization: `Bearer ${token}` } : {};
const resource = resourceFromAttributes({ "service.name": "web", "service.version": "2.0", "host.name": "web-2" });

const spanExporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, headers, timeoutMillis: 20_000 });
const tracers = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(spanExporter)] });
const tracer = tracers.getTracer("shop.web", "1.2");
const server = tracer.startSpan("GET /items/:id", {
  kind: SpanKind.SERVER,
  startTime: 1_770_091_506_000,
  attributes: {
    "http.request.method": "GET",
    "http.route": "/items/:id",
    "url.path": "/items/7",
    "http.response.status_code": 200,
  },
});
const inner = tracer.startSpan(
  "render",
  { startTime: 1_770_091_506_100, attributes: { count: 3, ratio: 0.25, ok: true, tags: ["a", "b"] } },
  trace.setSpan(context.active(), server),
);
inner.recordException(new TypeError("no price for 決済"), 1_770_091_506_150);
inner.setStatus({ code: SpanStatusCode.ERROR, message: "it failed" });
inner.end(1_770_091_506_200);
server.end(1_770_091_506_250);
await tracers.shutdown();

const logExporter = new OTLPLogExporter({ url: `${url}/v1/logs`, headers, timeoutMillis: 20_000, compression: "gzip" });
const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: logExporter })] });
loggers.getLogger("shop.log", "1.3").emit({
  timestamp: 1_770_091_506_789,
  severityNumber: SeverityNumber.ERROR,
  severityText: "ERROR",
  body: "checkout – 決済 \"ok\"\n\tdone",
  attributes: { count: 3, ratio: 0.25, ok: true, tags: ["a", "b"] },
  context: trace.setSpan(context.active(), server),
});
await loggers.shutdown();

const ids = (span) => ({ trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId });
console.log(JSON.stringify({ server: ids(server), inner: ids(inner) }));
