// Commands that send a first error, trace, metric or line, for pages that have nothing to show yet. Pure.
//
// From another machine they take a token; on this one the door may be open, and a token would close it to the rest.

/** Two moments of the shell, so that a copied command sends something of now. */
const NANOS = "$(date +%s)000000000";

/** Whether only this machine itself is at an address. */
export const isThisMachine = (origin: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname);

const TOKEN_HEADER = ` -H "Authorization: Bearer $KOSHU_TOKEN"`;
/** curl's option that sends the token, where one is needed. */
const token = (origin: string): string => (isThisMachine(origin) ? "" : TOKEN_HEADER);

export const errorSnippet = (origin: string): string =>
  `curl ${origin}/api/1/store/${token(origin)} -H 'content-type: application/json' \\
  -d '{"exception":{"values":[{"type":"TestError","value":"Hello from curl"}]}}'`;

export const traceSnippet = (origin: string): string => {
  const headers = isThisMachine(origin)
    ? ""
    : ` OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer $KOSHU_TOKEN"`;
  return `OTEL_SERVICE_NAME=shop OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf${headers} \\
OTEL_EXPORTER_OTLP_ENDPOINT=${origin} opentelemetry-instrument python app.py`;
};

export const metricSnippet = (origin: string): string =>
  `# prometheus.yml
remote_write:
  - url: ${origin}/api/v1/write${isThisMachine(origin) ? "" : "\n    authorization: {credentials_file: koshu-token}"}`;

export const lineSnippet = (origin: string): string =>
  `curl ${origin}/loki/api/v1/push${token(origin)} -H 'content-type: application/json' \\
  -d '{"streams":[{"stream":{"service":"shop"},"values":[["'${NANOS}'","Hello from curl"]]}]}'`;

export const accessSnippet = (origin: string): string =>
  `tail -F /var/log/nginx/access.log | curl${token(origin)} -T - "${origin}/api/v1/ingest/shop?format=combined"`;

export const changeSnippet = (origin: string): string =>
  `curl -X POST ${origin}/api/v1/changes${TOKEN_HEADER} -H 'Content-Type: application/json' -d '{"kind":"deploy","service":"shop","title":"deploy a1b2c3"}'`;
