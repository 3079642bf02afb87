// Something that a page loads: it follows what it reads, drops an answer that is no longer wanted,
// and keeps the last good value while the next one is on its way.

import { untrack } from "svelte";
import { ApiProblem } from "../api/client";
import { rangeText } from "../time/range";
import * as clock from "./clock.svelte";
import { answered, asked, failed, shownOf, type Load } from "./load";
import { path, query } from "./router.svelte";

export interface Resource<T> {
  readonly load: Load<T>;
  readonly value: T | null;
  /** A question has not been answered yet. */
  readonly refreshing: boolean;
  retry: () => void;
}

/** Parts of the address that say what is asked for; the others say how it is shown, or what of it. */
const ASKED = [
  "service",
  "route",
  "q",
  "min",
  "severity",
  "pattern",
  "by",
  "rate",
  "fold",
  "days",
] as const;

/** What a person asked for. The clock alone asks the same again. */
const question = (): string =>
  JSON.stringify([path(), rangeText(clock.range()), ...ASKED.map((name) => query(name))]);

/**
 * Call it while a component is being set up. `fetcher` reads what it depends on before it awaits;
 * it returns `null` when there is nothing to ask for yet.
 */
export function resource<T>(fetcher: (signal: AbortSignal) => Promise<T> | null): Resource<T> {
  let load = $state.raw<Load<T>>({ state: "loading" });
  let refreshing = $state(false);
  let attempt = $state(0);
  let before: string | null = null;
  const retry = (): void => {
    attempt += 1;
  };

  $effect(() => {
    void attempt;
    const control = new AbortController();
    const answer = fetcher(control.signal);
    refreshing = answer !== null;
    if (!answer) return;
    const now = untrack(question);
    load = asked(
      untrack(() => load),
      before !== null && before !== now,
    );
    before = now;
    answer.then(
      (value) => {
        if (control.signal.aborted) return;
        load = answered(value, new Date());
        refreshing = false;
      },
      (cause: unknown) => {
        if (control.signal.aborted) return;
        const problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, String(cause), "");
        load = failed(load, problem, new Date(), retry);
        refreshing = false;
      },
    );
    return () => control.abort();
  });

  return {
    get load() {
      return load;
    },
    get value() {
      return shownOf(load)?.value ?? null;
    },
    get refreshing() {
      return refreshing;
    },
    retry,
  };
}
