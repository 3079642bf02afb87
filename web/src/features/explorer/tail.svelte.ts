// The live tail. What is held is bounded; a pause holds the view still, and says how much waits.

import { tailAddress, type Filter } from "../../api/endpoints";
import type { LogRow } from "../../api/types";
import { shaped } from "../../api/client";
import { heardSince, withGap, type Gap, type Heard } from "./gaps";

const MOST = 2000;
const SHOW_EVERY_MS = 250;
/** The browser itself connects again only when a stream broke, not when the server refused to begin one. */
const ASK_AGAIN_MS = 15_000;

export interface Tail {
  readonly rows: LogRow[];
  readonly state: "connecting" | "open" | "lost" | "refused";
  /** What was not shown, the latest last. */
  readonly gaps: readonly Gap[];
  /** When the first connection stood, unix milliseconds. */
  readonly since: number | null;
  readonly waiting: number;
  paused: boolean;
}

/** Runs while `filter` returns one; call it while a component is being set up. */
export function liveTail(filter: () => Filter | null): Tail {
  let rows = $state.raw<LogRow[]>([]);
  let link = $state<Tail["state"]>("connecting");
  let gaps = $state.raw<Gap[]>([]);
  let since = $state<number | null>(null);
  let waiting = $state(0);
  let paused = $state(false);
  let fresh: LogRow[] = [];

  function show(): void {
    waiting = paused ? fresh.length : 0;
    if (paused || fresh.length === 0) return;
    rows = [...fresh.reverse(), ...rows].slice(0, MOST);
    fresh = [];
  }

  $effect(() => {
    const wanted = filter();
    if (!wanted) return;
    rows = [];
    fresh = [];
    gaps = [];
    since = null;
    let heard: Heard | null = null;
    link = "connecting";
    let again: ReturnType<typeof setTimeout> | undefined;
    const open = (): EventSource => {
      const made = new EventSource(tailAddress(wanted));
      made.onopen = () => {
        const now = Date.now();
        // Between two connections nobody listened, and the server keeps nothing for who comes back.
        if (heard !== null)
          gaps = withGap(gaps, { why: "lost", from: heard.lastSure(), to: now, n: null });
        heard = heardSince(now);
        since ??= now;
        link = "open";
      };
      made.onerror = () => {
        const refused = made.readyState === EventSource.CLOSED;
        link = refused ? "refused" : "lost";
        if (refused) again = setTimeout(() => (source = open()), ASK_AGAIN_MS);
      };
      made.addEventListener("row", (event: MessageEvent<string>) => {
        const row = read<LogRow>(event.data, ["id", "ts"]);
        if (!row) return;
        heard?.row(Date.now(), Date.parse(row.ts));
        fresh.push(row);
        const away = fresh.length > MOST ? fresh.shift() : undefined;
        if (away) {
          const at = Date.parse(away.ts) || Date.now();
          gaps = withGap(gaps, { why: "not_kept", from: at, to: at, n: 1 });
        }
      });
      // Its number counts rows or batches of any table: of how many records it is nobody knows.
      made.addEventListener("dropped", () => {
        const now = Date.now();
        const from = heard?.sureBeforeBatch(now) ?? now;
        gaps = withGap(gaps, { why: "left_out", from, to: now, n: null });
      });
      return made;
    };
    let source = open();
    const timer = setInterval(show, SHOW_EVERY_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(again);
      source.close();
    };
  });

  return {
    get rows() {
      return rows;
    },
    get state() {
      return link;
    },
    get gaps() {
      return gaps;
    },
    get since() {
      return since;
    },
    get waiting() {
      return waiting;
    },
    get paused() {
      return paused;
    },
    set paused(next: boolean) {
      paused = next;
    },
  };
}

function read<T extends object>(data: string, wants: readonly (keyof T & string)[]): T | null {
  try {
    return shaped<T>(JSON.parse(data), wants);
  } catch {
    return null;
  }
}
