// How the past of a check is drawn. Pure.

import type { Check, CheckStep } from "../../api/watch";

export type Minute = "ok" | "failed" | "unknown" | "unwatched";
const LETTERS: Record<string, Minute> = { o: "ok", x: "failed", "?": "unknown", "-": "unwatched" };

export interface Stretch {
  kind: Minute;
  from: number;
  length: number;
}

/** A day of letters as stretches. An unknown letter is time of which nothing can be said. */
export function stretches(minutes: string): Stretch[] {
  const found: Stretch[] = [];
  [...minutes].forEach((letter, at) => {
    const kind = LETTERS[letter] ?? "unknown";
    const last = found.at(-1);
    if (last?.kind === kind) last.length += 1;
    else found.push({ kind, from: at, length: 1 });
  });
  return found;
}

export const STEP_PHASES = ["dns", "connect", "tls", "first_byte", "rest"] as const;
export type StepPhase = (typeof STEP_PHASES)[number];

/** Where the time of a step went, milliseconds; what is not known is left out. */
export function phasesOf(step: CheckStep): [StepPhase, number][] {
  const known: [StepPhase, number | null][] = [
    ["dns", step.dns_us],
    ["connect", step.connect_us],
    ["tls", step.tls_us],
    ["first_byte", step.first_byte_us],
  ];
  const found = known.flatMap(([name, us]): [StepPhase, number][] =>
    us === null ? [] : [[name, us / 1000]],
  );
  if (step.total_us === null) return found;
  const rest = step.total_us / 1000 - found.reduce((sum, [, ms]) => sum + ms, 0);
  return rest > 0.05 ? [...found, ["rest", rest]] : found;
}

/** Of how many places as many stand where the check stands; null when all agree. */
export function partOf(check: Pick<Check, "status" | "places">): { n: number; of: number } | null {
  const of = check.places.length;
  const n = check.places.filter((place) => place.status === check.status).length;
  return n === of ? null : { n, of };
}

/** Whether only agents run it: what the server finds then counts for nothing. */
export const isOfAgents = (check: Pick<Check, "from">): boolean => !check.from.includes("server");
