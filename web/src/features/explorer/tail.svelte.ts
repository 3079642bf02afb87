// The live tail. What is held is bounded; a pause holds the view still, and says how much waits.

import { tailAddress, type Filter } from "../../api/endpoints";
import type { LogRow } from "../../api/types";
import { shaped } from "../../api/client";

const MOST = 2000;
const SHOW_EVERY_MS = 250;
/** The browser itself connects again only when a stream broke, not when the server refused to begin one. */
const ASK_AGAIN_MS = 15_000;

export interface Tail {
  readonly rows: LogRow[];
  readonly state: "connecting" | "open" | "lost" | "refused";
  /** Left out by the server because this browser was too slow. */
  readonly dropped: number;
  readonly waiting: number;
  paused: boolean;
}

/** Runs while `filter` returns one; call it while a component is being set up. */
export function liveTail(filter: () => Filter | null): Tail {
  let rows = $state.raw<LogRow[]>([]);
  let link = $state<Tail["state"]>("connecting");
  let dropped = $state(0);
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
    dropped = 0;
    link = "connecting";
    let again: ReturnType<typeof setTimeout> | undefined;
    const open = (): EventSource => {
      const made = new EventSource(tailAddress(wanted));
      made.onopen = () => (link = "open");
      made.onerror = () => {
        const refused = made.readyState === EventSource.CLOSED;
        link = refused ? "refused" : "lost";
        if (refused) again = setTimeout(() => (source = open()), ASK_AGAIN_MS);
      };
      made.addEventListener("row", (event: MessageEvent<string>) => {
        const row = read<LogRow>(event.data, ["id", "ts"]);
        if (!row) return;
        fresh.push(row);
        if (fresh.length > MOST) fresh = fresh.slice(-MOST);
      });
      made.addEventListener("dropped", (event: MessageEvent<string>) => {
        dropped += read<{ count: number }>(event.data, ["count"])?.count ?? 0;
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
    get dropped() {
      return dropped;
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
