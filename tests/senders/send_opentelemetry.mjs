// Sends traces, logs and metrics with npm's OpenTelemetry over HTTP; prints ids and times that the SDK made.
//
// Usage: node send_opentelemetry.mjs json|protobuf URL [TOKEN]
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as JsonLogs } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtobufMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [form, url, token] = process.argv.slice(2);
const [Traces, Logs, Metrics] = {
  json: [JsonTraces, JsonLogs, JsonMetrics],
  protobuf: [ProtobufTraces, ProtobufLogs, ProtobufMetrics],
}[form];
const begin = Date.now();
const headers = token ? { authorization: `Bearer ${token}` } : {};
const resource = resourceFromAttributes({ "service.name": "web", "service.version": "2.0", "host.name": "web-2" });

const spanExporter = new Traces({ url: `${url}/v1/traces`, headers, timeoutMillis: 20_000 });
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

const logExporter = new Logs({ url: `${url}/v1/logs`, headers, timeoutMillis: 20_000, compression: "gzip" });
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

const metricExporter = new Metrics({ url: `${url}/v1/metrics`, headers, timeoutMillis: 20_000, compression: "gzip" });
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ resource, readers: [reader] });
const meter = meters.getMeter("shop.meter", "1.4");
const orders = meter.createCounter("orders", { unit: "1" });
orders.add(3, { color: "red" });
orders.add(4, { color: "red" });
orders.add(1, { color: "blue" });
meter.createUpDownCounter("queue").add(-2);
meter.createObservableGauge("load").addCallback((result) => result.observe(0.75));
const wait = meter.createHistogram("wait", { unit: "s", advice: { explicitBucketBoundaries: [0.1, 1, 10] } });
for (const seconds of [0.05, 0.5, 5, 50]) {
  wait.record(seconds);
}
await meters.shutdown();

const ids = (span) => ({ trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId });
const times = { begin_ns: begin * 1_000_000, end_ns: (Date.now() + 1) * 1_000_000 };
console.log(JSON.stringify({ server: ids(server), inner: ids(inner), ...times }));
