// Which senders are shown, in which order, and what their clocks say. Pure.

import type { Source } from "../../api/types";
import { term } from "../explorer/filter";

export const SORTS = ["name", "last_seen", "rate", "lines", "rejected", "bytes"] as const;
export type Sort = (typeof SORTS)[number];

/** Senders gather for up to a minute: below this, late is usual. */
const LATE_S = 120;
/** Nothing arrives before it was written: this much ahead is the clock. */
const AHEAD_S = 30;
const HOUR_S = 3_600;
/** The widest zones lie this far from UTC. */
const ZONE_HOURS = 14;
/** How far an hour may be missed while the zone is still what explains it: records are on their way for a while. */
const ZONE_SLACK_S = 180;

export interface Skew {
  ahead: boolean;
  /** Seconds, never negative. */
  by: number;
  /** Whole half hours: a zone that is missing explains it better than a clock that is wrong. */
  zone: boolean;
}

/** What there is to say of a sender's clock; `null` while nothing needs to be said. */
export function skewOf(seconds: number | null): Skew | null {
  if (seconds === null || (seconds < AHEAD_S && seconds > -LATE_S)) return null;
  const by = Math.abs(seconds);
  const halfHours = Math.round(by / (HOUR_S / 2));
  const zone =
    halfHours >= 2 &&
    halfHours <= ZONE_HOURS * 2 &&
    Math.abs(by - (halfHours * HOUR_S) / 2) <= ZONE_SLACK_S;
  return { ahead: seconds > 0, by: zone ? (halfHours * HOUR_S) / 2 : by, zone };
}

export const hasTrouble = (source: Source): boolean =>
  source.state === "failed" || source.rejected > 0 || skewOf(source.clock_skew_s) !== null;

/** Where the records of a sender are looked at: only access lines keep their sender's name. */
export function recordsOf(source: Source): [path: string, query: Record<string, string | null>] {
  const service = source.service;
  switch (source.kind) {
    case "http":
    case "file":
    case "import":
    case "demo":
      return ["/explorer", { q: term("source", source.name) }];
    case "otlp":
      return ["/traces", { service }];
    case "forward":
    case "elasticsearch":
    case "syslog":
    case "loki":
      return ["/logs", { service }];
    case "agent":
    case "prometheus":
    case "statsd":
      return ["/metrics", { service }];
    case "sentry":
      return ["/errors", { service }];
    case "heartbeat": {
      const name = source.name.replaceAll("'", "''");
      const sql = `SELECT ts, name, state FROM events WHERE kind = 'heartbeat' AND name = '${name}' ORDER BY ts DESC`;
      return ["/explorer", { tab: "sql", sql }];
    }
  }
}

/** Those in whose kind, name or service every word stands. `kind` is what readers see for a kind. */
export function found(
  sources: readonly Source[],
  words: string,
  kind: (source: Source) => string,
): Source[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return sources.filter((source) => {
    const text = `${kind(source)} ${source.name} ${source.service ?? ""}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

const MEASURES: Record<Exclude<Sort, "name">, (source: Source) => number> = {
  last_seen: (source) => (source.last_seen === null ? -1 : Date.parse(source.last_seen)),
  rate: (source) => source.rate_per_s ?? -1,
  lines: (source) => source.lines,
  rejected: (source) => source.rejected,
  bytes: (source) => source.bytes,
};

/** By name in ascending order with what failed in front; by a measure the largest first, equal ones by name. */
export function sorted(sources: readonly Source[], by: Sort): Source[] {
  const name = (a: Source, b: Source): number =>
    a.name.localeCompare(b.name, "en", { numeric: true }) ||
    (a.service ?? "").localeCompare(b.service ?? "");
  if (by === "name") {
    const failed = (source: Source): number => (source.state === "failed" ? 0 : 1);
    return [...sources].sort((a, b) => failed(a) - failed(b) || name(a, b));
  }
  const measure = MEASURES[by];
  return [...sources].sort((a, b) => measure(b) - measure(a) || name(a, b));
}
