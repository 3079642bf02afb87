// Formatting in the language and zone of the page: what components call.

import type { ApiProblem } from "../api/client";
import { language, t, type MessageKey } from "../i18n/i18n.svelte";
import * as number from "../format/number";
import * as when from "../format/when";
import type { TimeRange } from "../time/range";
import { zone } from "./prefs.svelte";

export const count = (value: number | null): string => number.formatCount(value, language());
export const plain = (value: number | null): string => number.formatPlain(value, language());
export const ms = (value: number | null): string => number.formatMs(value, language());
export const duration = (seconds: number | null): string =>
  number.formatDuration(seconds, language());
export const badRatio = (ratio: number | null): string => number.formatBadRatio(ratio, language());
export const goodShare = (good: number, total: number): string | null =>
  number.formatGoodShare(good, total, language());
export const share = (ratio: number | null): string => number.formatShare(ratio, language());
export const shareDown = (ratio: number | null): string =>
  number.formatShareDown(ratio, language());
export const perCent = (ratio: number | null): string => number.formatPerCent(ratio, language());
export const interval = (low: number | null, high: number | null): string =>
  number.formatInterval(low, high, language());
export const rate = (perSecond: number | null): string => number.formatRate(perSecond, language());
/** A length of time in words: "4 minutes". */
export const length = (seconds: number): string => number.formatLength(seconds, language());
export const bytes = (value: number | null): string => number.formatBytes(value, language());
/** What stands between two sentences: Japanese has no space there. */
export const gap = (): string => (language() === "ja" ? "" : " ");
/** What stands between the names of a list. */
export const comma = (): string => (language() === "ja" ? "、" : ", ");
/** What ends a sentence that another one follows. */
export const stop = (): string => (language() === "ja" ? "。" : ". ");
export const changeOf = (now: number | null, before: number | null): string | null =>
  number.formatChange(now, before, language());

type Moment = Date | string | number;
const dateOf = (at: Moment): Date =>
  at instanceof Date ? at : new Date(typeof at === "number" ? at * 1000 : at);

/** A moment is a `Date`, an RFC 3339 text or unix seconds. */
export const time = (at: Moment): string => when.formatTime(dateOf(at), language(), zone());
export const timeSeconds = (at: Moment): string =>
  when.formatTimeSeconds(dateOf(at), language(), zone());
export const timeMs = (at: Moment): string => when.formatTimeMs(dateOf(at), language(), zone());
export const day = (at: Moment): string => when.formatDay(dateOf(at), language(), zone());
export const calendarDay = (day: string): string => when.formatCalendarDay(day, language());
export const dayTime = (at: Moment): string => when.formatDayTime(dateOf(at), language(), zone());
export const dayTimeSeconds = (at: Moment): string =>
  when.formatDayTimeSeconds(dateOf(at), language(), zone());
/** A step of a chart or of its table: with seconds only where steps are shorter than a minute. */
export const stepTime = (at: Moment, stepSeconds: number): string =>
  stepSeconds < 60 ? dayTimeSeconds(at) : dayTime(at);
export const tick = (at: Moment, stepSeconds: number): string =>
  when.formatTick(dateOf(at), stepSeconds, language(), zone());
export const full = (at: Moment): string => when.formatFull(dateOf(at), language(), zone());
export const ago = (at: Moment, now: Date): string => when.formatAgo(dateOf(at), now, language());
export const spanText = (from: Date, to: Date): string =>
  when.formatSpan(from, to, language(), zone());
export const zoneShort = (): string => when.zoneName(new Date(), language(), zone());

const LAST: [number, MessageKey][] = [
  [86_400, "range-last-days"],
  [3_600, "range-last-hours"],
  [60, "range-last-minutes"],
  [1, "range-last-seconds"],
];

/** "the last 24 hours", "today", "Nov 22, 09:00 – 10:00". */
export function rangeLabel(range: TimeRange): string {
  if (range.kind === "fixed") return spanText(range.from, range.to);
  if (range.kind === "day") return t(range.offset === 0 ? "range-today" : "range-yesterday");
  const seconds = range.seconds;
  if (seconds === 86_400) return t("range-last-hours", { n: 24 });
  const unit = LAST.find(([size]) => seconds >= size && seconds % size === 0) ?? LAST[3];
  return unit ? t(unit[1], { n: seconds / unit[0] }) : "";
}

export function problemText(problem: ApiProblem): string {
  if (problem.status === 0 && problem.title === "unreachable") return t("problem-unreachable");
  if (problem.status === 0)
    return t("problem-unexpected", { detail: problem.detail || problem.title });
  if (problem.status === 503) return t("problem-busy", { detail: problem.detail || problem.title });
  if (problem.status === 429) {
    return t("problem-too-fast", { seconds: problem.retryAfterSeconds ?? 60 });
  }
  return problem.detail || t("problem-status", { status: problem.status, title: problem.title });
}
