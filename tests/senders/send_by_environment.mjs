// Sends with an SDK to which only its environment says where; prints nothing but `true`.
//
// Usage: node send_by_environment.mjs opentelemetry|sentry
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import * as Sentry from "@sentry/node";

async function opentelemetry() {
  const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
  const spans = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
  spans.getTracer("shop").startSpan("hello").end();
  const exporter = new OTLPLogExporter();
  const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
  logs.getLogger("shop").emit({ body: "hello" });
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() });
  const meters = new MeterProvider({ resource, readers: [reader] });
  meters.getMeter("shop").createCounter("hello").add(1);
  await Promise.all([spans, logs, meters].map((provider) => provider.shutdown()));
}

async function sentry() {
  Sentry.init();
  Sentry.captureMessage("hello", "error");
  await Sentry.close(20_000);
}

await { opentelemetry, sentry }[process.argv[2]]();
console.log("true");
