// What is different after a change: the same length of time before and after it, each number with the interval in which the
// true one lies in 95 of 100 cases. Where the intervals do not prove a difference, none is claimed. Pure.

import type { RouteDetail, Signals, StoredChange } from "../../api/types";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** How far back a change is looked for. */
export const LOOK_BACK_DAYS = 30;
/** As many changes are offered. */
const OFFERED = 20;
/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959_964;

const KINDS: ReadonlySet<StoredChange["kind"]> = new Set([
  "deploy",
  "config",
  "image",
  "schema",
  "flag",
]);

/** What people changed, the newest first. */
export const changesToCompare = (changes: readonly StoredChange[]): StoredChange[] =>
  changes
    .filter((change) => KINDS.has(change.kind))
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, OFFERED);

/** The one that was asked for, else the last deploy, else the last change. */
export function chosenChange(
  offered: readonly StoredChange[],
  id: string | null,
): StoredChange | null {
  return (
    offered.find((change) => change.id === id) ??
    offered.find((change) => change.kind === "deploy") ??
    offered[0] ??
    null
  );
}

export interface Stretches {
  before: { from: Date; to: Date };
  after: { from: Date; to: Date };
}

/**
 * The whole minutes after a change up to `until`, a day at most, and as many before it; the minute of the change itself
 * belongs to neither. Longer ones grow in steps, so that they are not read anew every minute. Null: no minute has passed.
 */
export function stretchesAround(at: Date, until: Date): Stretches | null {
  const end = Math.floor(at.getTime() / MINUTE) * MINUTE;
  const start = Math.ceil((at.getTime() + 1) / MINUTE) * MINUTE;
  const passed = Math.min(DAY, until.getTime() - start);
  const step = passed < HOUR ? MINUTE : passed < 6 * HOUR ? 10 * MINUTE : HOUR;
  const length = Math.floor(passed / step) * step;
  if (length <= 0) return null;
  return {
    before: { from: new Date(end - length), to: new Date(end) },
    after: { from: new Date(start), to: new Date(start + length) },
  };
}

/** A number and the ends of its interval. */
export interface Estimate {
  at: number;
  low: number;
  high: number;
}

export interface Side {
  requests: number;
  errors: number;
  /** Share of failed requests; null without requests. */
  failed: Estimate | null;
  /** Milliseconds; null when there are too few requests with a time. */
  p50: Estimate | null;
  p95: Estimate | null;
  p99: Estimate | null;
}

type Heat = Pick<RouteDetail["heatmap"], "bounds_ms" | "cells">;

/**
 * Between which bounds of the heat map the true percentile lies, from its order statistics: that many of `n` durations lie
 * below it give or take what chance does. Null when there are too few for it to have an end on both sides.
 */
export function quantileBounds(heat: Heat, q: number): { low: number; high: number } | null {
  const counts = heat.bounds_ms.map((_, band) =>
    heat.cells.reduce((sum, [, cell]) => sum + (cell[band] ?? 0), 0),
  );
  const n = counts.reduce((sum, count) => sum + count, 0);
  const half = Z * Math.sqrt(n * q * (1 - q));
  const [lowest, highest] = [Math.floor(n * q - half), Math.ceil(n * q + half) + 1];
  if (lowest < 1 || highest > n) return null;
  const bandOf = (rank: number): number => {
    let seen = 0;
    return counts.findIndex((count) => (seen += count) >= rank);
  };
  const [from, to] = [bandOf(lowest), bandOf(highest)];
  // What the lowest band begins with is not told.
  return { low: heat.bounds_ms[from - 1] ?? 0, high: heat.bounds_ms[to] ?? 0 };
}

/** The estimate of the sketch lies within its interval, though it may miss a bound of the heat map by its error. */
function timeOf(at: number | null, heat: Heat, q: number): Estimate | null {
  const bounds = quantileBounds(heat, q);
  if (at === null || bounds === null) return null;
  return { at, low: Math.min(at, bounds.low), high: Math.max(at, bounds.high) };
}

export function sideOf(total: Signals["total"], heat: Heat): Side {
  const { error_ratio: at, error_ratio_low: low, error_ratio_high: high } = total;
  return {
    requests: total.requests,
    errors: total.errors,
    failed: at === null || low === null || high === null ? null : { at, low, high },
    p50: timeOf(total.p50_ms, heat, 0.5),
    p95: timeOf(total.p95_ms, heat, 0.95),
    p99: timeOf(total.p99_ms, heat, 0.99),
  };
}

export type Verdict = "more" | "less" | "same" | "unknown";

/**
 * Whether another share fails: the interval of the difference, put together from those of both shares (Newcombe, "Interval
 * estimation for the difference between independent proportions", Statistics in Medicine 17, 1998, method 10), leaves zero out.
 */
export function failedVerdict(before: Estimate | null, after: Estimate | null): Verdict {
  if (!before || !after) return "unknown";
  const difference = after.at - before.at;
  const low = difference - Math.hypot(after.at - after.low, before.high - before.at);
  const high = difference + Math.hypot(after.high - after.at, before.at - before.low);
  if (low > 0) return "more";
  return high < 0 ? "less" : "same";
}

/**
 * Whether it takes another time, and at least how many times as long or as short: the intervals have nothing in common but
 * an end, as those of neighbouring steps.
 */
export function timeVerdict(
  before: Estimate | null,
  after: Estimate | null,
): { verdict: Verdict; times: number | null } {
  if (!before || !after) return { verdict: "unknown", times: null };
  if (after.at > before.at && after.low >= before.high)
    return { verdict: "more", times: after.low / before.high };
  if (after.at < before.at && before.low >= after.high)
    return { verdict: "less", times: before.low / after.high };
  return { verdict: "same", times: null };
}

/** How many times, rounded down to what can be said; null where that is no more than "slower". */
export function leastTimes(times: number | null): number | null {
  if (times === null) return null;
  const least = times < 10 ? Math.floor(times * 10 + 1e-9) / 10 : Math.floor(times);
  return least > 1 ? least : null;
}
