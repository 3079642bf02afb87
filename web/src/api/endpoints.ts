// Every call that the pages make, by name. Ranges are always sent: the server's default range is
// for scripts.

import { address, get, post, remove } from "./client";
import type {
  Decision,
  Disappointed,
  ErrorDetail,
  ErrorList,
  Facets,
  Histogram,
  HostList,
  ImportRun,
  LinePatterns,
  LogLines,
  Logs,
  Metrics,
  MetricSeries,
  Overview,
  Requests,
  RouteDetail,
  Schema,
  Service,
  Session,
  Signals,
  Sources,
  SqlResult,
  Status,
  StoredChange,
  Token,
  TokenScope,
  Trace,
  Traces,
} from "./types";

export interface Span {
  from: Date;
  to: Date;
}

const range = (span: Span): { from: string; to: string } => ({
  from: span.from.toISOString(),
  to: span.to.toISOString(),
});
const inService = (service: string, rest = ""): string =>
  `/services/${encodeURIComponent(service)}${rest}`;

export const readSession = (): Promise<Session> => get<Session>("/session", {}, ["signed_in"]);
export const signIn = (user: string, password: string): Promise<object> =>
  post("/session", { user, password }, []);
export const useLink = (secret: string): Promise<object> => post("/session/link", { secret }, []);
export const setPassword = (password: string): Promise<object> =>
  post("/session/password", { password }, []);
export const signOut = (): Promise<void> => remove("/session");

export const readTokens = (signal: AbortSignal): Promise<{ tokens: Token[] }> =>
  get<{ tokens: Token[] }>("/tokens", {}, ["tokens"], signal);
export const createToken = (
  name: string,
  scope: TokenScope,
): Promise<{ id: string; token: string }> =>
  post<{ id: string; token: string }>("/tokens", { name, scope }, ["token"]);
export const removeToken = (id: string): Promise<void> =>
  remove(`/tokens/${encodeURIComponent(id)}`);

export const readOverview = (span: Span, signal: AbortSignal): Promise<Overview> =>
  get<Overview>(
    "/overview",
    range(span),
    ["services", "disappointed", "top_requests", "near_full", "changes", "damage"],
    signal,
  );
export const readServices = (span: Span, signal?: AbortSignal): Promise<{ services: Service[] }> =>
  get<{ services: Service[] }>("/services", range(span), ["services"], signal);
/** Alerts that fire now, as many as one answer holds; `next` says that there are more. */
export const readOpenAlerts = (): Promise<{ firings: object[]; next: string | null }> =>
  get<{ firings: object[]; next: string | null }>(
    "/firings",
    { class: "alert", state: "open", limit: 100 },
    ["firings", "next"],
  );
/** Tickets that are not done, as many as one answer holds. */
export const readOpenTickets = (): Promise<{ firings: object[]; next: string | null }> =>
  get<{ firings: object[]; next: string | null }>("/tickets", { limit: 100 }, ["firings", "next"]);
export const removeService = (service: string): Promise<void> => remove(inService(service));

export const readSignals = (
  service: string,
  span: Span,
  route: string | null,
  signal: AbortSignal,
): Promise<Signals> =>
  get<Signals>(
    inService(service, "/signals"),
    { ...range(span), route },
    ["series", "total"],
    signal,
  );

export const REQUEST_SORTS = ["total", "count", "p95", "errors", "users"] as const;
export type RequestSort = (typeof REQUEST_SORTS)[number];

export const readRequests = (
  service: string,
  span: Span,
  sort: RequestSort,
  signal: AbortSignal,
): Promise<Requests> =>
  get<Requests>(
    inService(service, "/requests"),
    { ...range(span), sort, limit: 1000 },
    ["rows", "total"],
    signal,
  );

export const readDisappointed = (
  service: string,
  span: Span,
  tz: string,
  signal: AbortSignal,
): Promise<Disappointed> =>
  get<Disappointed>(
    inService(service, "/disappointed"),
    { ...range(span), tz },
    ["users", "rows"],
    signal,
  );

export const readRoute = (
  service: string,
  route: string,
  span: Span,
  signal: AbortSignal,
): Promise<RouteDetail> =>
  get<RouteDetail>(
    inService(service, "/route"),
    { route, ...range(span) },
    ["slowest", "failed", "heatmap"],
    signal,
  );

export const readChanges = (
  span: Span,
  service: string | null,
  signal: AbortSignal,
): Promise<{ changes: StoredChange[] }> =>
  get<{ changes: StoredChange[] }>("/changes", { ...range(span), service }, ["changes"], signal);

export interface Filter {
  q: string;
  service: string | null;
}

export const readLogs = (
  span: Span,
  filter: Filter,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Logs> =>
  get<Logs>("/logs", { ...range(span), ...filter, limit: 200, cursor }, ["rows"], signal);
export const readHistogram = (
  span: Span,
  filter: Filter,
  signal: AbortSignal,
): Promise<Histogram> =>
  get<Histogram>("/logs/histogram", { ...range(span), ...filter }, ["bars"], signal);
export const readFacets = (
  field: string,
  span: Span,
  filter: Filter,
  limit: number,
  signal: AbortSignal,
): Promise<Facets> =>
  get<Facets>("/logs/facets", { ...range(span), ...filter, field, limit }, ["values"], signal);
export const tailAddress = (filter: Filter): string => address("/logs/tail", { ...filter });

export const runSql = (
  sql: string,
  span: Span,
  limit: number,
  signal: AbortSignal,
): Promise<SqlResult> =>
  post<SqlResult>("/sql", { sql, ...range(span), limit }, ["columns", "rows", "stats"], signal);
export const readSchema = (signal: AbortSignal): Promise<Schema> =>
  get<Schema>("/schema", {}, ["tables"], signal);

export const readSources = (signal: AbortSignal): Promise<Sources> =>
  get<Sources>(
    "/sources",
    { at: location.origin },
    ["sources", "discovered", "limits", "snippets"],
    signal,
  );
export const readHosts = (signal: AbortSignal): Promise<HostList> =>
  get<HostList>("/hosts", {}, ["hosts", "server_host"], signal);
export const forgetHost = (name: string): Promise<void> =>
  remove(`/hosts/${encodeURIComponent(name)}`);
export const readImports = (signal: AbortSignal): Promise<{ imports: ImportRun[] }> =>
  get<{ imports: ImportRun[] }>("/imports", {}, ["imports"], signal);
export const followFile = (path: string, service: string, importPast: boolean): Promise<object> =>
  post("/sources/follow", { path, service, import_past: importPast }, []);
export const readStatus = (signal: AbortSignal): Promise<Status> =>
  get<Status>("/status", {}, ["memory", "disk", "journal", "listeners"], signal);

export const ERROR_SORTS = ["count", "users", "last_seen"] as const;
export type ErrorSort = (typeof ERROR_SORTS)[number];

export const readErrors = (
  span: Span,
  service: string | null,
  sort: ErrorSort,
  signal: AbortSignal,
): Promise<ErrorList> =>
  get<ErrorList>("/errors", { ...range(span), service, sort }, ["groups", "bars"], signal);
const ofGroup = (group: string, rest = ""): string => `/errors/${encodeURIComponent(group)}${rest}`;
export const readErrorGroup = (
  group: string,
  span: Span,
  service: string | null,
  signal: AbortSignal,
): Promise<ErrorDetail> =>
  get<ErrorDetail>(ofGroup(group), { ...range(span), service }, ["records", "grouping"], signal);
export const decideError = (
  group: string,
  state: "open" | "resolved" | "ignored",
): Promise<Decision> => post<Decision>(ofGroup(group, "/state"), { state }, ["state"]);

export interface TraceFilter {
  q: string;
  service: string | null;
  min_ms: string | null;
}
export const readTraces = (span: Span, filter: TraceFilter, signal: AbortSignal): Promise<Traces> =>
  get<Traces>("/traces", { ...range(span), ...filter, limit: 200 }, ["traces"], signal);
/** Without a span it is looked for in the last seven days. */
export const readTrace = (id: string, span: Span | null, signal: AbortSignal): Promise<Trace> =>
  get<Trace>(
    `/traces/${encodeURIComponent(id)}`,
    span ? range(span) : {},
    ["spans", "lines", "errors"],
    signal,
  );

export const readMetrics = (span: Span, signal: AbortSignal): Promise<Metrics> =>
  get<Metrics>("/metrics", range(span), ["metrics"], signal);
export const FOLDS = ["mean", "sum", "min", "max"] as const;
export type Fold = (typeof FOLDS)[number];
export interface MetricQuestion {
  name: string;
  service: string | null;
  by: string | null;
  rate: string | null;
  /** Null leaves it to the server, which never averages quantiles. */
  fold: Fold | null;
}
export const readMetricSeries = (
  span: Span,
  question: MetricQuestion,
  signal: AbortSignal,
): Promise<MetricSeries> =>
  get<MetricSeries>(
    "/metrics/series",
    { ...range(span), ...question },
    ["lines", "labels"],
    signal,
  );

export interface LineFilter {
  q: string;
  service: string | null;
  severity: string | null;
  pattern: string | null;
}
export const readLogLines = (
  span: Span,
  filter: LineFilter,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<LogLines> =>
  get<LogLines>("/loglines", { ...range(span), ...filter, cursor }, ["lines"], signal);
export const readLinePatterns = (
  span: Span,
  filter: LineFilter,
  signal: AbortSignal,
): Promise<LinePatterns> =>
  get<LinePatterns>(
    "/loglines/patterns",
    { ...range(span), ...filter },
    ["patterns", "of_lines"],
    signal,
  );
