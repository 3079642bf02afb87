// Commands that send a first error, trace, metric or line, for pages that have nothing to show yet. Pure.

/** Two moments of the shell, so that a copied command sends something of now. */
const NANOS = "$(date +%s)000000000";

export const errorSnippet = (origin: string): string =>
  `curl ${origin}/api/1/store/ -H 'content-type: application/json' \\
  -d '{"exception":{"values":[{"type":"TestError","value":"Hello from curl"}]}}'`;

export const traceSnippet = (origin: string): string =>
  `OTEL_SERVICE_NAME=shop OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\
OTEL_EXPORTER_OTLP_ENDPOINT=${origin} opentelemetry-instrument python app.py`;

export const metricSnippet = (origin: string): string =>
  `# prometheus.yml
remote_write:
  - url: ${origin}/api/v1/write`;

export const lineSnippet = (origin: string): string =>
  `curl ${origin}/loki/api/v1/push -H 'content-type: application/json' \\
  -d '{"streams":[{"stream":{"service":"shop"},"values":[["'${NANOS}'","Hello from curl"]]}]}'`;

export const changeSnippet = (origin: string): string =>
  `curl -X POST ${origin}/api/v1/changes -H "Authorization: Bearer $KOSHU_TOKEN" -H 'Content-Type: application/json' -d '{"kind":"deploy","service":"shop","title":"deploy a1b2c3"}'`;
