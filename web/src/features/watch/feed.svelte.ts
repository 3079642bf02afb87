// A list of firings that is read page by page, and anew by the clock, without losing the place: rows keep their
// identity, and what was read behind the first rows stays.

import { ApiProblem } from "../../api/client";
import { PAGE_MOST, PAGE_ROWS, type Firing, type FiringList } from "../../api/watch";
import type { Load } from "../../app/load";
import { resource } from "../../app/resource.svelte";
import { appended, refreshed } from "./firings";

export type Ask = (
  limit: number,
  cursor: string | null,
  signal?: AbortSignal,
) => Promise<FiringList>;

export interface Feed {
  readonly load: Load<Firing[]>;
  readonly hasMore: boolean;
  readonly busy: boolean;
  readonly problem: ApiProblem | null;
  more: () => Promise<void>;
  refresh: () => void;
}

/** Call it while a component is being set up. `ask` reads what it depends on before it awaits; null asks nothing. */
export function feed(ask: () => Ask | null): Feed {
  let rows: Firing[] = [];
  let asked: Ask | null = null;
  const state = $state<{ next: string | null; busy: boolean; problem: ApiProblem | null }>({
    next: null,
    busy: false,
    problem: null,
  });
  /** All rows that were read. Replaced at once, never emptied in between: that would lose focus and place. */
  let shown = $state.raw<Firing[] | null>(null);

  const first = resource((signal) => {
    const call = ask();
    if (call === null) return null;
    return read(call, signal);
  });
  async function read(call: Ask, signal: AbortSignal): Promise<Firing[]> {
    const limit = Math.min(PAGE_MOST, Math.max(PAGE_ROWS, rows.length));
    const found = await call(limit, null, signal);
    if (signal.aborted) return rows;
    rows = refreshed(rows, found);
    // Behind rows that were read before, the next page is where it was.
    if (rows.length === found.firings.length) state.next = found.next;
    asked = call;
    shown = rows;
    return rows;
  }

  return {
    get load() {
      const load = first.load;
      if (shown === null) return load;
      if (load.state === "ready") return { ...load, value: shown };
      if (load.state === "failed" && load.kept)
        return { ...load, kept: { ...load.kept, value: shown } };
      return load;
    },
    get hasMore() {
      return state.next !== null;
    },
    get busy() {
      return state.busy;
    },
    get problem() {
      return state.problem;
    },
    async more() {
      const call = asked;
      if (state.busy || state.next === null || call === null) return;
      state.busy = true;
      state.problem = null;
      try {
        const found = await call(PAGE_ROWS, state.next);
        rows = appended(rows, found.firings);
        shown = rows;
        state.next = found.next;
      } catch (cause) {
        state.problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, String(cause), "");
      } finally {
        state.busy = false;
      }
    },
    refresh: () => first.retry(),
  };
}
