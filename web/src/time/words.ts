// Stretches of the calendar by their name: "yesterday", "last tuesday", "先週の火曜日", "先月". Pure; what
// has not begun yet is not understood, because nothing can be recorded there.

import type { Span } from "./range";
import { instantOf, startOfDay, wallClock, weekday } from "./zone";

const WEEKDAYS_EN = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const WEEKDAYS_JA = "日月火水木金土";
// Maps: what is typed may be the name of something that every object has, such as "constructor".
const DAYS_BACK = new Map([
  ["today", 0],
  ["今日", 0],
  ["本日", 0],
  ["yesterday", 1],
  ["昨日", 1],
  ["きのう", 1],
  ["day before yesterday", 2],
  ["the day before yesterday", 2],
  ["一昨日", 2],
  ["おととい", 2],
]);
const WEEKS_BACK = new Map([
  ["this week", 0],
  ["今週", 0],
  ["last week", 1],
  ["先週", 1],
  ["the week before last", 2],
  ["先々週", 2],
]);
const MONTHS_BACK = new Map([
  ["this month", 0],
  ["今月", 0],
  ["last month", 1],
  ["先月", 1],
]);

/** The named stretch, whole: it may reach beyond now. */
export function namedSpan(text: string, now: Date, zone: string): Span | null {
  const span =
    namedDay(text, now, zone) ??
    namedWeek(text, now, zone) ??
    namedMonth(text, now, zone) ??
    namedWeekday(text, now, zone);
  return span && span.from <= now ? span : null;
}

const daySpan = (now: Date, zone: string, plusDays: number): Span => ({
  from: startOfDay(now, zone, plusDays),
  to: startOfDay(now, zone, plusDays + 1),
});

export function namedDay(text: string, now: Date, zone: string): Span | null {
  const back = DAYS_BACK.get(text);
  return back === undefined ? null : daySpan(now, zone, -back);
}

/** Weeks begin on Monday. */
const sinceMonday = (now: Date, zone: string): number => (weekday(now, zone) + 6) % 7;

function namedWeek(text: string, now: Date, zone: string): Span | null {
  const back = WEEKS_BACK.get(text);
  if (back === undefined) return null;
  const monday = -sinceMonday(now, zone) - 7 * back;
  return { from: startOfDay(now, zone, monday), to: startOfDay(now, zone, monday + 7) };
}

function namedMonth(text: string, now: Date, zone: string): Span | null {
  const back = MONTHS_BACK.get(text);
  if (back === undefined) return null;
  const { year, month } = wallClock(now, zone);
  const first = (of: number): Date =>
    instantOf({ year, month: of, day: 1, hour: 0, minute: 0, second: 0 }, zone);
  return { from: first(month - back), to: first(month - back + 1) };
}

/**
 * "last tuesday" is the one that was last; "tuesday last week" and 先週の火曜日 lie in the week
 * before this one, which may be another day.
 */
function namedWeekday(text: string, now: Date, zone: string): Span | null {
  const { day, week } = splitWeekday(text);
  if (day === null) return null;
  if (week === null) {
    const back = (weekday(now, zone) - day + 7) % 7 || 7; // never today: that one is "today"
    return daySpan(now, zone, -back);
  }
  return daySpan(now, zone, -sinceMonday(now, zone) - 7 * week + ((day + 6) % 7));
}

/** The weekday (0 is Sunday) that is named, and how many weeks back, when that is said. */
function splitWeekday(text: string): { day: number | null; week: number | null } {
  const japanese =
    /^(?:(今週|先週|先々週)の?|(?:この前の|前の|直近の))?([日月火水木金土])曜日?$/.exec(text);
  if (japanese) {
    const week = japanese[1] === undefined ? null : (WEEKS_BACK.get(japanese[1]) ?? null);
    return { day: WEEKDAYS_JA.indexOf(japanese[2] ?? ""), week };
  }
  const english = /^(?:last )?([a-z]{3,9})(?: (?:of )?(this week|last week))?$/.exec(text);
  const found = WEEKDAYS_EN.findIndex(
    (name) => name === english?.[1] || name.slice(0, 3) === english?.[1],
  );
  if (found === -1) return { day: null, week: null };
  return {
    day: found,
    week: english?.[2] === undefined ? null : (WEEKS_BACK.get(english[2]) ?? null),
  };
}
