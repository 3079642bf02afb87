// Time ranges as people type them ("15m", "last tuesday", "2026-11-01..2026-11-02"), and as they
// stand in the URL. Pure: the moment that counts as now, and the zone, come in as arguments.

import { instantOf, startOfDay, weekday, wallClock } from "./zone";

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

const UNIT_SECONDS: Record<string, number> = {
  s: 1,
  m: 60,
  min: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
  秒: 1,
  分: 60,
  時間: 3_600,
  日: 86_400,
  週: 604_800,
  週間: 604_800,
};
const UNIT_LETTER: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
  [1, "s"],
];
const WEEKDAYS_EN = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const WEEKDAYS_JA = "日月火水木金土";
const YEAR_SECONDS = 366 * 86_400;

/** Reads what was typed; `null` when it is not understood. */
export function parseRange(typed: string, now: Date, zone: string): TimeRange | null {
  const text = typed.trim().toLowerCase().replace(/\s+/g, " ");
  return parseLast(text) ?? parseWord(text, now, zone) ?? parseBetween(typed.trim(), now, zone);
}

function parseLast(text: string): TimeRange | null {
  const match = /^(?:last |過去 ?)?(\d{1,6}) ?(s|min|m|h|d|w|秒|分|時間|日|週間|週)間?$/.exec(text);
  if (!match) return null;
  const seconds = Number(match[1]) * (UNIT_SECONDS[match[2] ?? ""] ?? 0);
  if (seconds < 1 || seconds > YEAR_SECONDS * 10) return null;
  return { kind: "last", seconds, text: shortDuration(seconds) };
}

function parseWord(text: string, now: Date, zone: string): TimeRange | null {
  if (text === "today" || text === "今日") return { kind: "day", offset: 0, text: "today" };
  if (text === "yesterday" || text === "昨日") {
    return { kind: "day", offset: -1, text: "yesterday" };
  }
  const sinceMonday = (weekday(now, zone) + 6) % 7;
  if (text === "this week" || text === "今週")
    return fixed(startOfDay(now, zone, -sinceMonday), now);
  if (text === "last week" || text === "先週") {
    const monday = startOfDay(now, zone, -sinceMonday - 7);
    return fixed(monday, startOfDay(now, zone, -sinceMonday));
  }
  const day = namedWeekday(text);
  if (day === null) return null;
  const back = (weekday(now, zone) - day + 7) % 7 || 7; // never today: that one is "today"
  return fixed(startOfDay(now, zone, -back), startOfDay(now, zone, -back + 1));
}

function namedWeekday(text: string): number | null {
  const english = /^(?:last )?([a-z]{3,9})$/.exec(text)?.[1];
  if (english) {
    const found = WEEKDAYS_EN.findIndex((name) => name === english || name.slice(0, 3) === english);
    return found === -1 ? null : found;
  }
  const japanese = /^(?:この前の|前の|先週の)?([日月火水木金土])曜日?$/.exec(text)?.[1];
  return japanese ? WEEKDAYS_JA.indexOf(japanese) : null;
}

function parseBetween(text: string, now: Date, zone: string): TimeRange | null {
  const [first, second, ...more] = text.split(/\s*(?:\.\.|〜|～)\s*/);
  if (first === undefined || more.length > 0) return null;
  const from = parseMoment(first, now, zone);
  const to =
    second === undefined ? from : second === "" ? atEnd(now) : parseMoment(second, now, zone);
  if (!from || !to || to.end <= from.start) return null;
  if (second === undefined && !from.wholeDay) return null;
  return fixed(from.start, to.end);
}

interface Moment {
  start: Date;
  end: Date;
  wholeDay: boolean;
}

const atEnd = (now: Date): Moment => ({ start: now, end: now, wholeDay: false });

/** A day stands for all of it, so "1..2 November" ends when the second is over. */
function parseMoment(text: string, now: Date, zone: string): Moment | null {
  const iso =
    /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(Z)?$/i;
  const match = iso.exec(text);
  if (match) {
    const part = (index: number): number => Number(match[index] ?? "0");
    if (part(2) < 1 || part(2) > 12 || part(3) < 1 || part(3) > 31) return null;
    if (part(4) > 23 || part(5) > 59 || part(6) > 59) return null;
    const day = { year: part(1), month: part(2), day: part(3) };
    const wall = { ...day, hour: part(4), minute: part(5), second: part(6) };
    const where = match[7] ? "UTC" : zone;
    const start = instantOf(wall, where);
    if (match[4] !== undefined) return { start, end: start, wholeDay: false };
    return { start, end: instantOf({ ...wall, day: wall.day + 1 }, where), wholeDay: true };
  }
  const clock = /^(\d{1,2}):(\d{2})$/.exec(text);
  if (!clock || Number(clock[1]) > 23 || Number(clock[2]) > 59) return null;
  const wall = { ...wallClock(now, zone), hour: Number(clock[1]), minute: Number(clock[2]) };
  const at = instantOf({ ...wall, second: 0 }, zone);
  return { start: at, end: at, wholeDay: false };
}

const fixed = (from: Date, to: Date): TimeRange => ({ kind: "fixed", from, to });

/** The range as it stands in the URL; read back by `parseRange` whatever the reader's zone is. */
export function rangeText(range: TimeRange): string {
  if (range.kind !== "fixed") return range.text;
  return `${isoSeconds(range.from)}..${isoSeconds(range.to)}`;
}

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

/** A range that reaches to now asks again by itself. */
export const isLive = (range: TimeRange): boolean =>
  range.kind === "last" || (range.kind === "day" && range.offset === 0);

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
