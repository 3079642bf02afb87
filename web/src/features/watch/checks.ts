// How the past of a check is drawn. Pure.

import type { Point } from "../../api/types";
import { CHECK_STATES, type Check, type CheckRun, type CheckStep } from "../../api/watch";

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

/** As many lines can be told apart. */
export const MOST_LINES = 7;
/** A check that rested for days is drawn in so many steps at most. */
const MOST_STEPS = 1_000;

export interface PlaceLine {
  place: string;
  /** Milliseconds; null where the place sent no run, or one without a time. */
  points: Point[];
}

/** The places that are drawn: all, or of too many those that stand worst. */
export function drawnPlaces(check: Pick<Check, "from" | "places">): string[] {
  if (check.from.length <= MOST_LINES) return check.from;
  const rank = new Map(
    check.places.map((place) => [place.from, CHECK_STATES.indexOf(place.status)]),
  );
  const last = CHECK_STATES.length;
  return [...check.from]
    .sort((a, b) => (rank.get(a) ?? last) - (rank.get(b) ?? last))
    .slice(0, MOST_LINES);
}

/**
 * How long the runs of each place took. Each place runs at moments of its own: they are put on common steps as long as the
 * check's interval, so that lines are not torn where another place ran. Of two runs in a step the slower one counts.
 */
export function linesByPlace(
  runs: readonly Pick<CheckRun, "at" | "from" | "total_ms">[],
  places: readonly string[],
  everySeconds: number,
): PlaceLine[] {
  const moments = runs
    .filter((run) => places.includes(run.from))
    .map((run) => ({ place: run.from, at: Date.parse(run.at) / 1000, ms: run.total_ms }))
    .sort((a, b) => a.at - b.at);
  const origin = moments[0]?.at ?? 0;
  const length = (moments.at(-1)?.at ?? 0) - origin;
  const step = Math.max(1, everySeconds, length / MOST_STEPS);
  const lines = places.map((place) => {
    const own = moments.filter((run) => run.place === place);
    const first = own[0]?.at ?? 0;
    const begin = Math.floor((first - origin) / step);
    const steps = new Map<number, number | null>();
    for (const run of own) {
      // By the place's own rhythm: a run that is a little late stays in its step.
      const at = begin + Math.round((run.at - first) / step);
      const known = steps.get(at) ?? null;
      steps.set(at, known === null || (run.ms ?? 0) > known ? run.ms : known);
    }
    return { place, steps };
  });
  const count = Math.max(0, ...lines.flatMap(({ steps }) => [...steps.keys()])) + 1;
  return lines.map(({ place, steps }) => ({
    place,
    points:
      moments.length === 0
        ? []
        : Array.from({ length: count }, (_, at): Point => [
            origin + at * step,
            steps.get(at) ?? null,
          ]),
  }));
}

/** Steps at the end that may still be on their way: an agent sends what it found a little later. */
const FRESH_STEPS = 2;

/** The moment of a line's last value, when it lies back behind those of other lines: it is not a value of now. */
export function endedAt(points: readonly Point[]): number | null {
  const last = points.findLastIndex(([, value]) => value !== null);
  return last < points.length - 1 - FRESH_STEPS ? (points[last]?.[0] ?? null) : null;
}
