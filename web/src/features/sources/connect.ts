// What can be connected: names of snippets, and a token put where it goes. Pure.

import type { Snippet, TokenScope } from "../../api/types";
import type { MessageKey } from "../../i18n/keys";

/** What the server writes where a token goes, by what the token may do. */
const PLACES: Record<"ingest" | "read", string> = {
  ingest: "YOUR_INGEST_TOKEN",
  read: "YOUR_READ_TOKEN",
};

/** Tokens that were made on this page. They live as long as the page is shown. */
export type Made = Partial<Record<TokenScope, string>>;

/** Where a protocol is usually listened to, for those who want to begin with it. */
export const USUAL: Record<string, string> = {
  forward: "127.0.0.1:24224",
  syslog: "127.0.0.1:5514",
  statsd: "127.0.0.1:8125",
};

export const GROUPS: Record<string, MessageKey> = {
  access: "connect-access",
  hosts: "connect-hosts",
  shippers: "connect-shippers",
  telemetry: "connect-telemetry",
  metrics: "connect-metrics",
  jobs: "connect-jobs",
};

export const TITLES: Record<string, MessageKey> = {
  "nginx-json": "snippet-nginx-json",
  "nginx-syslog": "snippet-nginx-syslog",
  "past-logs": "snippet-past-logs",
  "curl-lines": "snippet-curl-lines",
  "curl-record": "snippet-curl-record",
  agent: "snippet-agent",
  "agent-systemd": "snippet-agent-systemd",
  fluentd: "snippet-fluentd",
  "fluent-bit": "snippet-fluent-bit",
  vector: "snippet-vector",
  filebeat: "snippet-filebeat",
  promtail: "snippet-promtail",
  alloy: "snippet-alloy",
  rsyslog: "snippet-rsyslog",
  "otel-sdk": "snippet-otel-sdk",
  "otel-collector": "snippet-otel-collector",
  sentry: "snippet-sentry",
  prometheus: "snippet-prometheus",
  alertmanager: "snippet-alertmanager",
  "prometheus-scrape": "snippet-prometheus-scrape",
  scrape: "snippet-scrape",
  statsd: "snippet-statsd",
  heartbeat: "snippet-heartbeat",
  deploy: "snippet-deploy",
  "github-webhook": "snippet-github-webhook",
  "github-actions": "snippet-github-actions",
};

export const NOTES: Record<string, MessageKey> = {
  "nginx-json": "note-nginx-json",
  "past-logs": "note-past-logs",
  "curl-lines": "note-curl",
  "curl-record": "note-curl",
  agent: "note-agent",
  "agent-systemd": "note-agent-systemd",
  sentry: "note-sentry",
  "otel-sdk": "note-otel-sdk",
  "prometheus-scrape": "note-prometheus-scrape",
  scrape: "note-scrape",
  heartbeat: "note-heartbeat",
  "github-webhook": "note-github-webhook",
  "github-actions": "note-github-actions",
};

/** What a token for it must allow; `null` when it has no use for one. */
export function scopeOf(snippet: Snippet): "ingest" | "read" | null {
  if (snippet.guard !== "token" && snippet.guard !== "no_token_yet") return null;
  return snippet.text.includes(PLACES.read) ? "read" : "ingest";
}

export function filled(text: string, made: Made): string {
  let out = text;
  for (const scope of ["ingest", "read"] as const) {
    const token = made[scope];
    if (token !== undefined) out = out.replaceAll(PLACES[scope], () => token);
  }
  return out;
}

/** Groups in the order in which the server names them. */
export function grouped(snippets: readonly Snippet[]): [group: string, of: Snippet[]][] {
  const groups = new Map<string, Snippet[]>();
  for (const snippet of snippets) {
    groups.set(snippet.group, [...(groups.get(snippet.group) ?? []), snippet]);
  }
  return [...groups];
}
