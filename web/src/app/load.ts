// What is known of something that a page loads, and what a question, an answer or a failure makes of it. Pure.

import type { ApiProblem } from "../api/client";

export interface Kept<T> {
  value: T;
  at: Date;
}

export type Load<T> =
  | { state: "loading" }
  | { state: "failed"; problem: ApiProblem; since: Date; kept: Kept<T> | null; retry: () => void }
  /** `outdated`: something else was asked for since, and its answer is on its way. */
  | { state: "ready"; value: T; at: Date; outdated: boolean };

/**
 * Asked again; `other` when it is another question. Until it is answered the answer before stays in sight, marked. After a
 * failure it does not: what answers another question would stand there as if it were the last that is known of this one.
 */
export function asked<T>(load: Load<T>, other: boolean): Load<T> {
  if (!other) return load;
  if (load.state === "ready") return { ...load, outdated: true };
  return load.state === "failed" ? { ...load, kept: null } : load;
}

export const answered = <T>(value: T, at: Date): Load<T> => ({
  state: "ready",
  value,
  at,
  outdated: false,
});

/** The last good answer to this question stays; it has failed since the first failure. */
export function failed<T>(
  load: Load<T>,
  problem: ApiProblem,
  at: Date,
  retry: () => void,
): Load<T> {
  const [since, kept] =
    load.state === "failed"
      ? [load.since, load.kept]
      : [at, load.state === "ready" && !load.outdated ? { value: load.value, at: load.at } : null];
  return { state: "failed", problem, since, kept, retry };
}

/** What can be shown now. */
export function shownOf<T>(load: Load<T>): Kept<T> | null {
  if (load.state === "ready") return { value: load.value, at: load.at };
  return load.state === "failed" ? load.kept : null;
}
