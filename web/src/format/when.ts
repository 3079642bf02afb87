// Times as people read them, always in the zone that the page shows. It reads no clock.

import { wallClock } from "../time/zone";
import { hold } from "./hold";

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(
  language: string,
  zone: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${language}|${zone}|${JSON.stringify(options)}`;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options });
    cache.set(key, found);
  }
  return found;
}

const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const DAY: Intl.DateTimeFormatOptions = { month: "short", day: "numeric", weekday: "short" };

export const formatTime = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, TIME).format(at);

export const formatTimeSeconds = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, { ...TIME, second: "2-digit" }).format(at);

export const formatTimeMs = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, { ...TIME, second: "2-digit", fractionalSecondDigits: 3 }).format(at);

export const formatDay = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, DAY).format(at);

/** A day of the calendar (`2026-11-23`), which is the same day in every zone. */
export const formatCalendarDay = (day: string, language: string): string =>
  formatDay(new Date(`${day}T00:00:00Z`), language, "UTC");

export const formatDayTime = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, { month: "short", day: "numeric", ...TIME }).format(at);

export const formatDayTimeSeconds = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, { month: "short", day: "numeric", ...TIME, second: "2-digit" }).format(
    at,
  );

export const formatFull = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, {
    year: "numeric",
    month: "short",
    day: "numeric",
    ...TIME,
    second: "2-digit",
  }).format(at);

/** A label of a time axis, as exact as its steps; midnight is the day that begins. */
export function formatTick(at: Date, stepSeconds: number, language: string, zone: string): string {
  const { hour, minute, second } = wallClock(at, zone);
  const midnight = hour === 0 && minute === 0 && second === 0;
  if (stepSeconds >= 86_400 || midnight) return formatDay(at, language, zone);
  return stepSeconds >= 60 ? formatTime(at, language, zone) : formatTimeSeconds(at, language, zone);
}

/** "Nov 22, 9:00 – 10:00": both ends, and no more of the date than is needed. */
export function formatSpan(from: Date, to: Date, language: string, zone: string): string {
  if (language === "ja") {
    // The ranges of Intl mix 11/26 4:11 and 4時41分; these are written as moments are everywhere else.
    const [begin, end] = [from, to].map((at) => formatDayTime(at, language, zone));
    const sameDay = formatDay(from, language, zone) === formatDay(to, language, zone);
    return `${begin}〜${sameDay ? formatTime(to, language, zone) : end}`;
  }
  const options: Intl.DateTimeFormatOptions = { month: "short", day: "numeric", ...TIME };
  return formatter(language, zone, options).formatRange(from, to);
}

export const zoneName = (at: Date, language: string, zone: string): string =>
  formatter(language, zone, { timeZoneName: "short" })
    .formatToParts(at)
    .find((part) => part.type === "timeZoneName")?.value ?? zone;

/** "3 minutes ago", in the largest unit that fits. */
export function formatAgo(at: Date, now: Date, language: string): string {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const said = (n: number, unit: Intl.RelativeTimeFormatUnit): string =>
    hold(relative.format(n, unit));
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return said(seconds, "second");
  if (size < 3_600) return said(Math.round(seconds / 60), "minute");
  if (size < 172_800) return said(Math.round(seconds / 3_600), "hour");
  return said(Math.round(seconds / 86_400), "day");
}
