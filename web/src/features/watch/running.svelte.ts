// A replay that runs: how long already, stopped by whoever started it or by leaving the page.

import { ApiProblem } from "../../api/client";
import { replayRules, type ReplayResult } from "../../api/quality";
import * as text from "../../app/text";
import type { Span } from "../../time/range";

export interface Replay {
  readonly running: boolean;
  /** Seconds since it was started. */
  readonly seconds: number;
  readonly result: ReplayResult | null;
  readonly problem: string | null;
  readonly cancelled: boolean;
  run: (span: Span) => Promise<void>;
  cancel: () => void;
}

/** Call it while a component is being set up. */
export function replay(): Replay {
  let control = $state.raw<AbortController | null>(null);
  let seconds = $state(0);
  let result = $state.raw<ReplayResult | null>(null);
  let problem = $state<string | null>(null);
  let cancelled = $state(false);

  $effect(() => {
    const running = control;
    if (running === null) return;
    const began = Date.now();
    seconds = 0;
    const timer = setInterval(() => (seconds = Math.floor((Date.now() - began) / 1000)), 1000);
    return () => clearInterval(timer);
  });
  $effect(() => () => control?.abort());

  return {
    get running() {
      return control !== null;
    },
    get seconds() {
      return seconds;
    },
    get result() {
      return result;
    },
    get problem() {
      return problem;
    },
    get cancelled() {
      return cancelled;
    },
    async run(span) {
      if (control !== null) return;
      const mine = new AbortController();
      control = mine;
      problem = null;
      cancelled = false;
      try {
        result = await replayRules(span, mine.signal);
      } catch (cause) {
        if (mine.signal.aborted) return;
        // What an earlier run found would stand below a failure as if it were its answer.
        result = null;
        problem = cause instanceof ApiProblem ? text.problemText(cause) : String(cause);
      } finally {
        if (control === mine) control = null;
      }
    },
    cancel() {
      cancelled = control !== null;
      control?.abort();
      control = null;
    },
  };
}
