// What an objective's numbers mean. Pure.

import type { Objective, ObjectiveStep } from "../../api/watch";
import type { Point } from "../../api/types";

const UNITS: Record<string, number> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

/** A span as the server writes it (`5m`, `30d`, `1200000us`), in seconds. */
export function spanSeconds(text: string): number | null {
  const found = /^(\d+)(us|ms|s|m|h|d|w)$/.exec(text);
  return found ? Number(found[1]) * (UNITS[found[2] ?? ""] ?? Number.NaN) : null;
}

export const bad = (objective: Pick<Objective, "sum">): number =>
  Math.max(0, objective.sum.tally.valid - objective.sum.tally.good);

/** Share of the time that was seen; null without any time. */
export const coverage = (sum: { minutes: number; seen: number }): number | null =>
  sum.minutes <= 0 ? null : sum.seen / sum.minutes;

export type Health = "unknown" | "spent" | "burning" | "fine";

/** What a budget says: nothing was seen, it is gone, it goes too fast, or all is well. */
export function healthOf(objective: Pick<Objective, "left" | "burn_1h" | "burn_6h">): Health {
  if (objective.left === null) return "unknown";
  if (objective.left <= 0) return "spent";
  return (objective.burn_1h ?? 0) > 1 && (objective.burn_6h ?? 0) > 1 ? "burning" : "fine";
}

/** The worst in front: gone, going, unknown, fine; then by what is left. */
export function worstFirst<T extends Pick<Objective, "left" | "burn_1h" | "burn_6h">>(
  objectives: readonly T[],
): T[] {
  const order: Health[] = ["spent", "burning", "unknown", "fine"];
  return [...objectives].sort(
    (a, b) =>
      order.indexOf(healthOf(a)) - order.indexOf(healthOf(b)) || (a.left ?? 0) - (b.left ?? 0),
  );
}

/**
 * The budget over time, as it was at the end of each step, or is now. A step of which nothing was seen is a gap, never a
 * level line.
 */
export const leftPoints = (
  steps: readonly ObjectiveStep[],
  stepSeconds: number,
  end: number,
): Point[] =>
  steps.map((step) => [
    Math.min(end, Date.parse(step.at) / 1000 + stepSeconds),
    step.seen > 0 ? step.left : null,
  ]);

export interface Unseen {
  from: Date;
  to: Date;
  minutes: number;
}

/** The first step of which something was seen, when nothing was in those before it: the watch began within it. */
export function beganIn(steps: readonly ObjectiveStep[]): ObjectiveStep | null {
  const first = steps.findIndex((step) => step.seen > 0);
  return first > 0 ? (steps[first] ?? null) : null;
}

/**
 * Times of which something was not seen, neighbours joined, the longest first. Not what was before the watch began, nor
 * what a step has outside of the time that is asked for: steps are longer than that at both ends.
 */
export function unseen(
  steps: readonly ObjectiveStep[],
  stepSeconds: number,
  within: { from: Date; to: Date },
): Unseen[] {
  const began = beganIn(steps);
  const found: Unseen[] = [];
  let open: Unseen | null = null;
  for (const step of began === null ? steps : steps.slice(steps.indexOf(began) + 1)) {
    const at = Date.parse(step.at);
    const from = new Date(Math.max(at, within.from.getTime()));
    const to = new Date(Math.min(at + stepSeconds * 1000, within.to.getTime()));
    const missing = Math.floor((to.getTime() - from.getTime()) / 60_000) - step.seen;
    if (missing <= 0) {
      open = null;
      continue;
    }
    if (open) {
      open.to = to;
      open.minutes += missing;
    } else {
      open = { from, to, minutes: missing };
      found.push(open);
    }
  }
  return found.sort((a, b) => b.minutes - a.minutes);
}

/** Objectives that judge a route: its own, and those of the whole service. */
export const judging = (
  objectives: readonly Objective[],
  service: string,
  route: string,
): string[] =>
  objectives
    .filter(
      (each) =>
        each.service === service &&
        each.good !== null &&
        (each.route === null || each.route === route),
    )
    .map((each) => each.name);
