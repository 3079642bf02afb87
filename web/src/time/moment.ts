// One end of a typed range: a date, a time of day, or both, in the forms that people write. Pure.

import { namedDay } from "./words";
import { instantOf, wallClock, type Wall } from "./zone";

export interface Moment {
  start: Date;
  /** Behind a whole day, the moment at which it is over; otherwise the start. */
  end: Date;
  form: "day" | "day and time" | "time";
}

const DATE_FORMS: RegExp[] = [
  /^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})$/,
  /^(?:(?<year>\d{4})年)?(?<month>\d{1,2})月(?<day>\d{1,2})日$/,
  /^(?<month>\d{1,2})\/(?<day>\d{1,2})$/,
];
const TIME_FORMS: RegExp[] = [
  /^(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.\d+)?)?$/,
  /^(?<hour>\d{1,2})時(?:(?<minute>\d{1,2})分|(?<half>半))?$/,
];

interface Day {
  year: number;
  month: number;
  day: number;
}
type Time = Omit<Wall, keyof Day>;

/** `day` is where a time of day without a date belongs: today, or the day at the other end. */
export function parseMoment(text: string, now: Date, zone: string, day: Date = now): Moment | null {
  const iso = /^(\d{4}-\d{2}-\d{2})t(.+?)(z?)$/i.exec(text);
  const utc = (iso?.[3] ?? "") !== "";
  const where = utc ? "UTC" : zone;
  const [, dateText, timeText] = iso ?? splitDate(text);
  const date = dateText === undefined ? wallClock(day, where) : parseDay(dateText, now, where);
  const time = timeText === undefined ? null : parseTime(timeText);
  if (!date || (timeText !== undefined && !time)) return null;
  const { year, month, day: number } = date;
  const start = instantOf(
    { year, month, day: number, ...(time ?? { hour: 0, minute: 0, second: 0 }) },
    where,
  );
  if (time) return { start, end: start, form: dateText === undefined ? "time" : "day and time" };
  const next = { year, month, day: number + 1, hour: 0, minute: 0, second: 0 };
  return { start, end: instantOf(next, where), form: "day" };
}

/** What of a text is the date and what is the time; either can be missing. */
function splitDate(text: string): [string, string | undefined, string | undefined] {
  if (parseTime(text)) return [text, undefined, text];
  const both = /^(.+?日|\S+?)\s*の?\s*(\d{1,2}[:時].*)$/.exec(text);
  return both ? [text, both[1], both[2]] : [text, text, undefined];
}

function parseDay(text: string, now: Date, zone: string): Day | null {
  const named = namedDay(text, now, zone);
  if (named) return wallClock(named.from, zone);
  const found = DATE_FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups);
  if (!found) return null;
  const [month, day] = [Number(found["month"]), Number(found["day"])];
  const today = wallClock(now, zone);
  // Without a year it is the last such day: in January, "12/30" was a few days ago.
  const ahead = month > today.month || (month === today.month && day > today.day);
  const year = found["year"] === undefined ? today.year - (ahead ? 1 : 0) : Number(found["year"]);
  const exists = new Date(Date.UTC(year, month - 1, day));
  return exists.getUTCMonth() === month - 1 && exists.getUTCDate() === day
    ? { year, month, day }
    : null;
}

function parseTime(text: string): Time | null {
  const found = TIME_FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups);
  if (!found) return null;
  const hour = Number(found["hour"]);
  const minute = found["half"] === undefined ? Number(found["minute"] ?? "0") : 30;
  const second = Number(found["second"] ?? "0");
  return hour > 23 || minute > 59 || second > 59 ? null : { hour, minute, second };
}
