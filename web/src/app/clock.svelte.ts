// The time range of the page: what the URL says, moved along by a clock while it reaches to now.
// The clock stands still while nobody looks.

import { isAsking } from "../api/client";
import {
  DEFAULT_RANGE,
  DEMO_RANGE,
  isLive,
  momentOf,
  parseRange,
  rangeText,
  spanOf,
} from "../time/range";
import type { Span, TimeRange } from "../time/range";
import { zone } from "./prefs.svelte";
import { query, setQuery } from "./router.svelte";
import { session } from "./session.svelte";

const EVERY_MS = 10_000;

const clock = $state({ now: roundedNow() });
const text = $derived(query("range"));
const current = $derived(parse(text));
const live = $derived(isLive(current));
/** A number, so that nothing follows the clock while it stays the same. */
const moment = $derived(momentOf(current, new Date(clock.now), zone()).getTime());
const shown = $derived(spanOf(current, new Date(moment), zone()));

function parse(written: string | null): TimeRange {
  return (written === null ? null : parseRange(written, new Date(), zone())) ?? defaultRange();
}

function roundedNow(): number {
  return Math.ceil(Date.now() / EVERY_MS) * EVERY_MS;
}

/** A demonstration that has just begun has minutes to show, not a day. */
const defaultRange = (): TimeRange => (session()?.demo === true ? DEMO_RANGE : DEFAULT_RANGE);

export const range = (): TimeRange => current;
export const span = (): Span => shown;
export const rangeIsLive = (): boolean => live;
/** A moment that moves every ten seconds, for "3 minutes ago". */
export const now = (): Date => new Date(clock.now);

export function setRange(next: TimeRange): void {
  setQuery({
    range: next.kind === "last" && next.text === rangeText(defaultRange()) ? null : rangeText(next),
  });
}

/** A span dragged on a chart, in seconds; narrower than a second is a slip of the hand. */
export function setSpanSeconds(from: number, to: number): void {
  if (to - from < 1) return;
  setRange({
    kind: "fixed",
    from: new Date(Math.floor(from) * 1000),
    to: new Date(Math.ceil(to) * 1000),
  });
}

export function startClock(): void {
  const tick = (): void => {
    // A slow answer is waited for: asking anew would drop it, again and again.
    if (!document.hidden && !isAsking()) clock.now = roundedNow();
  };
  setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
}
