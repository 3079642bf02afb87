// Time ranges as people type them ("15m", "last tuesday", "2026-11-01..2026-11-02"), and as they
// stand in the URL. Pure: the moment that counts as now, and the zone, come in as arguments.

import { parseMoment } from "./moment";
import { namedSpan } from "./words";
import { startOfDay } from "./zone";

/** A range which moves with the clock, or one that stands still. */
export type TimeRange =
  | { kind: "last"; seconds: number; text: string }
  | { kind: "day"; offset: 0 | -1; text: string }
  | { kind: "fixed"; from: Date; to: Date };

export interface Span {
  from: Date;
  to: Date;
}

export const DEFAULT_RANGE: TimeRange = { kind: "last", seconds: 86_400, text: "24h" };
export const DEMO_RANGE: TimeRange = { kind: "last", seconds: 900, text: "15m" };

const UNITS: [RegExp, number][] = [
  [/^(?:s|sec|secs|seconds?|秒間?)$/, 1],
  [/^(?:m|min|mins|minutes?|分間?)$/, 60],
  [/^(?:h|hr|hrs|hours?|時間)$/, 3_600],
  [/^(?:d|days?|日間?)$/, 86_400],
  [/^(?:w|weeks?|週間?)$/, 604_800],
];
const UNIT_LETTER: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
  [1, "s"],
];
const YEAR_SECONDS = 366 * 86_400;

/** Reads what was typed, also with the full-width digits and signs of a Japanese input method. */
export function parseRange(typed: string, now: Date, zone: string): TimeRange | null {
  const text = typed.normalize("NFKC").trim().toLowerCase().replace(/\s+/g, " ");
  return parseLast(text) ?? parseNamed(text, now, zone) ?? parseBetween(text, now, zone);
}

function parseLast(text: string): TimeRange | null {
  const match =
    /^(?:(?:the )?(?:last|past) |過去 ?|直近 ?)?(\d{1,6}) ?([a-z]+|[秒分時間日週]+)$/.exec(text);
  const unit = UNITS.find(([names]) => names.test(match?.[2] ?? ""));
  if (!match || !unit) return null;
  const seconds = Number(match[1]) * unit[1];
  if (seconds < 1 || seconds > YEAR_SECONDS * 10) return null;
  return { kind: "last", seconds, text: shortDuration(seconds) };
}

function parseNamed(text: string, now: Date, zone: string): TimeRange | null {
  // These two move along with the clock: the link still means it tomorrow.
  if (text === "today" || text === "今日") return { kind: "day", offset: 0, text: "today" };
  if (text === "yesterday" || text === "昨日")
    return { kind: "day", offset: -1, text: "yesterday" };
  const span = namedSpan(text, now, zone);
  return span && fixed(span.from, span.to < now ? span.to : now);
}

/** "A..B": a day stands for all of it, so "1..2 November" ends when the second is over. */
function parseBetween(text: string, now: Date, zone: string): TimeRange | null {
  const [first, second, ...more] = text.split(/ ?(?:\.\.+|…|~|〜|から) ?/);
  if (first === undefined || more.length > 0) return null;
  const from = parseMoment(first, now, zone);
  if (!from) return null;
  if (second === undefined) return from.form === "day" ? fixed(from.start, from.end) : null;
  const bare = second.replace(/まで$/, "");
  if (["", "now", "今", "現在"].includes(bare))
    return from.start < now ? fixed(from.start, now) : null;
  const to = parseMoment(bare, now, zone, from.start);
  if (!to) return null;
  let [start, end] = [from.start, to.end];
  if (from.form === "time" && to.form === "time") {
    // Over midnight; and nobody looks for this evening before it has come.
    if (end <= start) start = daysLater(start, -1);
    if (start > now) [start, end] = [daysLater(start, -1), daysLater(end, -1)];
  }
  return end <= start ? null : fixed(start, end);
}

const daysLater = (at: Date, days: number): Date => new Date(at.getTime() + days * 86_400_000);

const fixed = (from: Date, to: Date): TimeRange => ({ kind: "fixed", from, to });

/** The range as it stands in the URL; read back by `parseRange` whatever the reader's zone is. */
export function rangeText(range: TimeRange): string {
  if (range.kind !== "fixed") return range.text;
  return `${isoSeconds(range.from)}..${isoSeconds(range.to)}`;
}

/** A stretch of time in milliseconds as it stands in an address. */
export const stretchText = (fromMs: number, toMs: number): string =>
  rangeText(fixed(new Date(fromMs), new Date(toMs)));

const isoSeconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

export function spanOf(range: TimeRange, now: Date, zone: string): Span {
  switch (range.kind) {
    case "last":
      return { from: new Date(now.getTime() - range.seconds * 1000), to: now };
    case "day":
      return range.offset === 0
        ? { from: startOfDay(now, zone), to: now }
        : { from: startOfDay(now, zone, -1), to: startOfDay(now, zone) };
    case "fixed":
      return { from: range.from, to: range.to };
  }
}

/**
 * The moment by which a range is read. It stands still as long as the range does, so that what is shown is not asked for
 * again without need: "yesterday" moves once a day.
 */
export function momentOf(range: TimeRange, now: Date, zone: string): Date {
  if (isLive(range)) return now;
  return range.kind === "fixed" ? range.to : startOfDay(now, zone);
}

/** A range that reaches to now asks again by itself. */
export const isLive = (range: TimeRange): boolean =>
  range.kind === "last" || (range.kind === "day" && range.offset === 0);

/** The part of a span that lies on a day of the zone's calendar (`2026-11-23`); null when there is none. */
export function dayWithin(day: string, span: Span, zone: string): Span | null {
  const whole = parseMoment(day, span.to, zone);
  if (whole?.form !== "day") return null;
  const from = whole.start > span.from ? whole.start : span.from;
  const to = whole.end < span.to ? whole.end : span.to;
  return from < to ? { from, to } : null;
}

/** How far back the same weekday of an earlier week lies, so that the two spans don't overlap. */
export function previousShiftSeconds(span: Span): number {
  const week = 604_800;
  const length = (span.to.getTime() - span.from.getTime()) / 1000;
  return Math.max(1, Math.ceil(length / week)) * week;
}

export function shiftSpan(span: Span, seconds: number): Span {
  return {
    from: new Date(span.from.getTime() - seconds * 1000),
    to: new Date(span.to.getTime() - seconds * 1000),
  };
}

export function shortDuration(seconds: number): string {
  for (const [size, letter] of UNIT_LETTER) {
    if (seconds >= size && seconds % size === 0 && !(letter === "d" && seconds === size)) {
      return `${seconds / size}${letter}`;
    }
  }
  return `${seconds}s`;
}
