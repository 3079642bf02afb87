// Something that a page loads: it follows what it reads, drops an answer that is no longer wanted,
// and keeps the last good value while the next one is on its way.

import { ApiProblem } from "../api/client";

export interface Kept<T> {
  value: T;
  at: Date;
}

export type Load<T> =
  | { state: "loading" }
  | { state: "failed"; problem: ApiProblem; since: Date; kept: Kept<T> | null; retry: () => void }
  | { state: "ready"; value: T; at: Date };

export interface Resource<T> {
  readonly load: Load<T>;
  readonly value: T | null;
  readonly refreshing: boolean;
  retry: () => void;
}

/**
 * Call it while a component is being set up. `fetcher` reads what it depends on before it awaits;
 * it returns `null` when there is nothing to ask for yet.
 */
export function resource<T>(fetcher: (signal: AbortSignal) => Promise<T> | null): Resource<T> {
  let load = $state.raw<Load<T>>({ state: "loading" });
  let refreshing = $state(false);
  let attempt = $state(0);
  let kept: Kept<T> | null = null;
  let failedSince: Date | null = null;
  const retry = (): void => {
    attempt += 1;
  };

  $effect(() => {
    void attempt;
    const control = new AbortController();
    const asked = fetcher(control.signal);
    if (!asked) return;
    refreshing = true;
    asked.then(
      (value) => {
        if (control.signal.aborted) return;
        kept = { value, at: new Date() };
        failedSince = null;
        load = { state: "ready", ...kept };
        refreshing = false;
      },
      (cause: unknown) => {
        if (control.signal.aborted) return;
        const problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, String(cause), "");
        failedSince ??= new Date();
        load = { state: "failed", problem, since: failedSince, kept, retry };
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
      if (load.state === "ready") return load.value;
      return load.state === "failed" ? (load.kept?.value ?? null) : null;
    },
    get refreshing() {
      return refreshing;
    },
    retry,
  };
}
