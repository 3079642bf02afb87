// What a rule measures, read off the beginning of its condition (`latency.p95 of POST /checkout above 800ms`). Pure.

import type { Firing } from "../../api/watch";
import type { Signals } from "../../api/types";

export type Unit =
  "ms" | "seconds" | "days" | "share" | "budget" | "burn" | "people" | "per-second" | "plain";

/** An objective that burns is named in front as a signal is, and may have the name of one. */
const burns = (condition: string): boolean => condition.includes(" burning its budget ");
const signalName = (condition: string): string =>
  burns(condition) ? "" : (/^[\w.]+/.exec(condition)?.[0] ?? "");

/** The unit of a value; a plain number where the signal is not known, as with a query. */
export function unitOf(condition: string): Unit {
  const name = signalName(condition);
  if (burns(condition) || name === "budget.burn") return "burn";
  if (name === "budget.left") return "budget";
  if (name.startsWith("latency.") || name === "check.duration") return "ms";
  if (name === "heartbeat.age" || name === "host.silence") return "seconds";
  if (name === "check.tls_days") return "days";
  if (name === "disappointed") return "people";
  if (name === "errors.ratio" || name.startsWith("saturation.")) return "share";
  return name === "traffic" ? "per-second" : "plain";
}

type Drawn = Exclude<keyof Signals["series"], "saturation">;
const DRAWN: Record<string, Drawn> = {
  "latency.p50": "latency_p50_ms",
  "latency.p95": "latency_p95_ms",
  "latency.p99": "latency_p99_ms",
  traffic: "traffic_per_s",
  "errors.ratio": "error_ratio",
};

/** The series of a service that shows what fired; null when it is of something else. */
export function drawnOf(
  firing: Pick<Firing, "condition" | "service" | "labels">,
): { series: Drawn; service: string; route: string | null } | null {
  const series = DRAWN[signalName(firing.condition)];
  const service = firing.labels["service"] ?? firing.service;
  if (!series || service === null) return null;
  const named = / of ([A-Z]+ \/\S*)/.exec(firing.condition)?.[1] ?? null;
  return { series, service, route: firing.labels["route"] ?? named };
}

/** From an hour before it began to half an hour behind its end, and not beyond now. */
export function around(
  firing: Pick<Firing, "started_at" | "resolved_at">,
  now: Date,
): { from: Date; to: Date } {
  const end = firing.resolved_at === null ? now.getTime() : Date.parse(firing.resolved_at);
  return {
    from: new Date(Date.parse(firing.started_at) - 3_600_000),
    to: new Date(Math.min(now.getTime(), end + 1_800_000)),
  };
}
