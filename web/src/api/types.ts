// What the HTTP API sends, as the pages use it. Times are RFC 3339 UTC strings, points are
// `[unix seconds, value]`, and `null` always means "not known": it is never shown as 0.

export type Point = [seconds: number, value: number | null];

export interface Session {
  signed_in: boolean;
  user: string | null;
  password_set: boolean;
  demo: boolean;
  version: string;
  time_zone: string;
  hostname: string;
}

export interface Service {
  name: string;
  demo: boolean;
  requests: number;
  errors: number;
  error_ratio: number | null;
  error_ratio_low: number | null;
  error_ratio_high: number | null;
  p95_ms: number | null;
  traffic_per_s: number | null;
  last_seen: string | null;
  user_identity: string;
  routes: number;
  routes_limit: number;
  routes_over_limit: boolean;
}

export const SATURATION_KINDS = [
  "cpu",
  "memory",
  "disk",
  "network",
  "pressure_cpu",
  "pressure_memory",
  "pressure_io",
] as const;
export type SaturationKind = (typeof SATURATION_KINDS)[number];

export interface Signals {
  service: string;
  from: string;
  to: string;
  step_s: number;
  quantile_error: number;
  series: {
    latency_p50_ms: Point[];
    latency_p95_ms: Point[];
    latency_p99_ms: Point[];
    traffic_per_s: Point[];
    error_ratio: Point[];
    saturation: Partial<Record<SaturationKind, Point[]>>;
  };
  total: {
    requests: number;
    errors: number;
    error_ratio: number | null;
    error_ratio_low: number | null;
    error_ratio_high: number | null;
    timed: number;
    p50_ms: number | null;
    p95_ms: number | null;
    p99_ms: number | null;
  };
  saturation_host: string | null;
}

export interface RequestRow {
  route: string;
  count: number;
  errors: number;
  error_ratio: number | null;
  error_ratio_low: number | null;
  error_ratio_high: number | null;
  total_ms: number | null;
  share: number | null;
  mean_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  users: number | null;
  disappointed: number | null;
}

export interface Requests {
  service: string;
  from: string;
  to: string;
  quantile_error: number;
  total: { count: number; errors: number; total_ms: number | null };
  rows: RequestRow[];
}

export interface DisappointedRow {
  day: string;
  route: string;
  users: number;
  recovered: number;
  still_disappointed: number;
}

export interface Disappointed {
  service: string;
  identity: string;
  identity_kind: "cookie" | "header" | "field" | "hash";
  window_s: number;
  users: number;
  recovered: number;
  still_disappointed: number;
  /** Failed requests that no person is known for. */
  unknown_users: number;
  partial: string | null;
  rows: DisappointedRow[];
  by_route: [string, number][];
  by_hour: [number, number][];
}

export interface SampleRow {
  ts: string;
  method: string;
  path: string;
  status: number;
  duration_ms: number | null;
  user_key: string | null;
  trace_id: string | null;
  host: string;
  user_agent: string | null;
}

export interface RouteDetail {
  route: string;
  slowest: SampleRow[];
  failed: SampleRow[];
  heatmap: { step_s: number; bounds_ms: number[]; cells: [number, number[]][] };
}

export interface Change {
  at: string;
  kind: "deploy" | "config" | "image" | "schema" | "flag" | "service" | "damage" | "limit";
  title: string;
  service: string | null;
  detail: string | null;
}

/** A change as it is stored; other marks have no id. */
export interface StoredChange extends Change {
  id: string;
}

export interface NearFull {
  host: string;
  kind: "disk" | "memory" | "cpu" | "network" | "journal" | "lake";
  name: string;
  used_ratio: number;
  full_in_days: number | null;
  detail: string | null;
}

export interface Damage {
  file: string;
  range: string;
  reason: string;
  since: string;
}

export interface OverviewDisappointed {
  service: string;
  users: number;
  recovered: number;
  still_disappointed: number;
  /** Failed requests that no person is known for. */
  unknown_users: number;
  worst: { route: string; users: number } | null;
  by_hour: [number, number][];
}

export interface TopRequest extends RequestRow {
  service: string;
  previous_p95_ms: number | null;
  previous_total_ms: number | null;
}

export interface Overview {
  services: (Service & { spark: Point[] })[];
  disappointed: OverviewDisappointed[];
  top_requests: TopRequest[];
  near_full: NearFull[];
  changes: Change[];
  damage: Damage[];
  demo: boolean;
}

export interface LogRow {
  id: string;
  ts: string;
  service: string;
  host: string;
  method: string | null;
  route: string | null;
  path: string | null;
  status: number | null;
  duration_ms: number | null;
  bytes: number | null;
  user_key: string | null;
  trace_id: string | null;
  source: string | null;
  attrs: Record<string, unknown>;
}

export interface Logs {
  rows: LogRow[];
  next_cursor: string | null;
  matched: number | null;
  partial: string | null;
}

export interface Histogram {
  step_s: number;
  bars: [seconds: number, ok: number, clientErrors: number, serverErrors: number][];
  total: number;
}

export interface Facets {
  field: string;
  values: [value: string, count: number][];
}

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

export interface SqlResult {
  columns: { name: string; type: string }[];
  rows: Cell[][];
  stats: {
    elapsed_ms: number;
    rows: number;
    truncated: boolean;
    scanned_rows: number | null;
    scanned_bytes: number | null;
    from: string;
    to: string;
    damaged_files: string[];
  };
}

export interface Schema {
  tables: { name: string; columns: { name: string; type: string }[] }[];
}

export type SourceState = "receiving" | "idle" | "waiting" | "failed" | "not_followed";

export interface Source {
  id: string;
  kind:
    | "http"
    | "file"
    | "import"
    | "demo"
    | "agent"
    | "otlp"
    | "forward"
    | "elasticsearch"
    | "syslog"
    | "loki"
    | "prometheus"
    | "sentry"
    | "statsd"
    | "heartbeat";
  name: string;
  service: string | null;
  format: string | null;
  state: SourceState;
  reason: string | null;
  lines: number;
  parsed: number;
  rejected: number;
  bytes: number;
  rate_per_s: number | null;
  last_seen: string | null;
  lag_bytes: number | null;
  /** Ahead, or behind when negative. */
  clock_skew_s: number | null;
  rejects: { reason: string; count: number; sample: string }[];
}

export interface Discovered {
  path: string;
  size_bytes: number;
  readable: boolean;
  reason: string | null;
  format: string | null;
  service_suggestion: string;
  found_by: string;
  following: boolean;
  older_files: { path: string; size_bytes: number }[];
  sample: { lines: number; parsed: number; rejected: number } | null;
}

export interface ReachedLimit {
  name: "routes" | "series" | "series_of_all" | "fields" | "services" | "sources";
  service: string | null;
  source: string | null;
  limit: number;
  affected: number | null;
  since: string;
}

export interface Snippet {
  key: string;
  group: string;
  language: string;
  text: string;
  listener: string | null;
  reach: "open" | "here" | "off" | "no_address";
  guard:
    "token" | "no_token_yet" | "own_token" | "signature" | "port" | "key" | "certificate" | "local";
}

export interface Sources {
  sources: Source[];
  discovered: Discovered[];
  limits: ReachedLimit[];
  snippets: Snippet[];
  /** Nobody ever made a token: programs on the server's machine may send without one. */
  open: boolean;
}

export interface ImportRun {
  id: string;
  path: string;
  service: string;
  state: "running" | "done" | "failed";
  bytes_done: number;
  bytes_total: number;
  lines: number;
  parsed: number;
  rejected: number;
  already_imported: number;
  error: string | null;
}

export interface Status {
  memory: { used_bytes: number; budget_bytes: number };
  disk: { used_bytes: number; budget_bytes: number; free_bytes: number };
  journal: { bytes: number; segments: number; oldest_unsealed: string | null };
  damage: Damage[];
  listeners: Record<string, string>;
  started_at: string;
  host: string;
}

export const LIVENESS = [
  "host_gone",
  "network_cut",
  "agent_gone",
  "server_isolated",
  "unknown",
  "alive",
] as const;
export type Liveness = (typeof LIVENESS)[number];

/** What came of a try to reach a host. */
export type Tried = "answered" | "refused" | "timed_out" | "unreachable" | "not_tried";

/** Why a host is believed to be there or not. Spans are texts: `40s`. */
export type Because =
  | { reason: "heard"; ago: string }
  | { reason: "silent"; since: string | null }
  | { reason: "probe"; kind: "tcp" | "icmp"; outcome: Tried }
  | { reason: "peer"; host: string; outcome: Tried }
  | { reason: "server_has_no_network" }
  | { reason: "all_agents_silent"; known: number }
  | { reason: "no_other_witness" }
  | { reason: "not_looked_at" };

export interface HostFile {
  path: string;
  service: string;
  /** Why it is not followed; null when it is. */
  problem: string | null;
  lag_bytes: number;
}

/** A host whose agent reports. */
export interface Host {
  name: string;
  version: string;
  reach: string | null;
  first_seen: string;
  last_seen: string;
  liveness: Liveness;
  since: string;
  /** Who has reached it while it was there: `server`, or hosts. */
  reached_by: string[];
  reasons: Because[];
  /** Ahead, or behind when negative; null before it was heard since the server started. */
  skew_ms: number | null;
  checks: number;
  files: HostFile[];
}

export interface HostList {
  hosts: Host[];
  server_host: string;
}

export type TokenScope = "ingest" | "agent" | "read" | "admin";

export interface Token {
  id: string;
  name: string;
  scope: TokenScope;
  created_at: string;
  last_used_at: string | null;
  prefix: string;
}

export type ErrorState = "open" | "resolved" | "ignored" | "reopened";

/** What people decided about a group of errors, and when. */
export interface Decision {
  state: ErrorState;
  state_since: string | null;
  state_by: string | null;
}

export interface ErrorGroup extends Decision {
  group_id: string;
  service: string;
  kind: string;
  message: string;
  count: number;
  users: number;
  first_seen: string;
  last_seen: string;
  releases: [name: string, count: number][];
  trend: number[];
}

export interface ErrorList {
  from: string;
  to: string;
  step_s: number;
  errors: number;
  group_count: number;
  users: number;
  bars: [seconds: number, count: number][];
  groups: ErrorGroup[];
  partial: string | null;
}

export interface ErrorShare {
  name: string | null;
  count: number;
  first_seen: string;
  last_seen: string;
}

export interface ErrorRecord {
  ts: string;
  service: string;
  host: string | null;
  group_id: string;
  kind: string;
  message: string;
  severity: string | null;
  release: string | null;
  environment: string | null;
  user_key: string | null;
  trace_id: string | null;
  stack: string | null;
  source: string;
  attrs: Record<string, string>;
}

export interface ErrorDetail extends Decision {
  group_id: string;
  kind: string;
  message: string;
  step_s: number;
  count: number;
  users: number;
  first_seen: string;
  last_seen: string;
  /** `proven`: the inputs lead to this very group. */
  grouping: { version: string; proven: boolean; inputs: { name: string; text: string }[] };
  services: ErrorShare[];
  releases: ErrorShare[];
  people: ErrorShare[];
  bars: [seconds: number, count: number][];
  records: ErrorRecord[];
  partial: string | null;
}

export interface TraceRow {
  trace_id: string;
  name: string;
  service: string;
  kind: string;
  status: string | null;
  start: string;
  duration_ms: number | null;
  spans: number;
  errors: number;
  services: number;
}

export interface Traces {
  traces: TraceRow[];
  more: boolean;
  partial: string | null;
}

export interface Span {
  span_id: string;
  parent_id: string | null;
  name: string;
  service: string;
  host: string | null;
  kind: string;
  status: string | null;
  start: string;
  /** Microseconds since the first span of the trace began. */
  offset_us: number;
  duration_ms: number | null;
  source: string;
  attrs: Record<string, string>;
}

export interface LogLine {
  ts: string;
  service: string;
  host: string | null;
  severity: string | null;
  body: string;
  trace_id: string | null;
  source: string;
  attrs: Record<string, string>;
}

export interface Trace {
  trace_id: string;
  spans: Span[];
  more_spans: boolean;
  lines: LogLine[];
  errors: ErrorRecord[];
  partial: string | null;
}

export interface Metric {
  name: string;
  /** Its name says that it only grows. */
  counter: boolean;
  series: number;
  services: string[];
  last_seen: string;
}

export interface Metrics {
  metrics: Metric[];
  more: boolean;
  partial: string | null;
}

export interface MetricSeries {
  name: string;
  step_s: number;
  counter: boolean;
  rate: boolean;
  fold: string;
  by: string | null;
  series: number;
  labels: [name: string, values: number][];
  lines: { label: string | null; series: number; points: Point[] }[];
  lines_left_out: number;
  partial: string | null;
}

export interface LogLines {
  lines: LogLine[];
  next_cursor: string | null;
  histogram: {
    step_s: number;
    total: number;
    bars: [seconds: number, calm: number, warnings: number, errors: number][];
  } | null;
  partial: string | null;
}

export interface LinePattern {
  pattern: string;
  count: number;
  severity: string | null;
  sample: string;
  first_seen: string;
  last_seen: string;
}

export interface LinePatterns {
  patterns: LinePattern[];
  of_lines: number;
  more_lines: boolean;
  other_lines: number;
  partial: string | null;
}
