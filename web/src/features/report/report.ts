// What the figures of a month mean, and how they are written. Pure: the language comes in as an argument. Nothing is ever
// rounded up to a better figure, and an unknown one is never 100 %.

import type { Figures, IncompleteDay, MonthReport, Part, WorstWindow } from "../../api/quality";
import { formatDuration, goodThousandths, inWords } from "../../format/number";
import { wallClock } from "../../time/zone";

/** `2026-11`, from year 1 on. */
export const isMonth = (text: string | null): text is string =>
  text !== null && /^\d{4}-(0[1-9]|1[0-2])$/.test(text);

const two = (value: number): string => String(value).padStart(2, "0");

/** The month that a calendar on the wall in `zone` shows. */
export function monthOf(at: Date, zone: string): string {
  const { year, month } = wallClock(at, zone);
  return `${String(year).padStart(4, "0")}-${two(month)}`;
}

/** Some months later, or earlier when negative. */
export function shiftMonth(month: string, by: number): string {
  const at = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1 + by;
  return `${String(Math.floor(at / 12)).padStart(4, "0")}-${two((at % 12) + 1)}`;
}

/** The months to choose from, the newest first; one that is looked at is always among them. */
export function monthsUntil(newest: string, count: number, chosen: string): string[] {
  const known = Array.from({ length: count }, (_, at) => shiftMonth(newest, -at));
  return known.includes(chosen) ? known : [...known, chosen].sort().reverse();
}

/** "November 2026", 2026年11月. */
export const monthName = (month: string, language: string): string =>
  new Intl.DateTimeFormat(language, { year: "numeric", month: "long", timeZone: "UTC" }).format(
    new Date(`${month}-01T00:00:00Z`),
  );

/** Rounded down to thousandths of a percent. Null: nothing is known. */
export function goodPercent({ good, all }: Part): number | null {
  const thousandths = goodThousandths(good, all);
  return thousandths === null ? null : thousandths / 1000;
}

export function formatPercent(percent: number | null, language: string): string {
  if (percent === null) return "–";
  const digits = new Intl.NumberFormat(language, {
    minimumFractionDigits: 3,
    maximumFractionDigits: 3,
  });
  return `${digits.format(percent)}\u00a0%`;
}

/** A share from 0 to 1, rounded down as the others are. */
export const sharePercent = (share: number): number => Math.floor(share * 100_000 + 1e-6) / 1000;

/** Both ends rounded down: an upper end below 1 does not become 100 %. */
export function formatBounds(low: number, high: number, language: string): string {
  const [from, to] = [sharePercent(low), sharePercent(high)];
  const ends = [from, to].map((each) => formatPercent(each, language).replace("\u00a0%", ""));
  return `${ends.join("\u2060–\u2060")}\u00a0%`;
}

/** "43.2 minutes", "8.64 minutes": three digits, because half a minute counts at 99.99 %. */
export const formatMinutes = (seconds: number, language: string): string =>
  inWords(seconds / 60, "minute", language, { maximumSignificantDigits: 3 });

/** Time that people spent, with more of it in days than anybody counts in minutes. */
export const formatSpent = (microseconds: number, language: string): string =>
  formatDuration(microseconds / 1e6, language);

export type Verdict = "met" | "met_as_seen" | "missed" | "unknown";

/** Whether a figure keeps to its target. When a part of the time was not seen, it does so only as far as that goes. */
export function verdictOf(part: Part, targetPercent: number, unknownMinutes: number): Verdict {
  if (part.all <= 0) return "unknown";
  if ((part.good / part.all) * 100 < targetPercent - 1e-9) return "missed";
  return unknownMinutes > 0 ? "met_as_seen" : "met";
}

/** Who met an error, of how many. Null: nobody was counted, so nothing is known of anybody. */
export const peopleOf = ({
  user_count,
  disappointed,
}: Pick<MonthReport, "user_count" | "disappointed">): {
  disappointed: number;
  all: number;
} | null =>
  user_count === null || disappointed === null || user_count <= 0
    ? null
    : { disappointed, all: user_count };

const DAY_MS = 86_400_000;

/** Days that are not known whole, in words: "November 1 – 3 and November 7". The days are in order. */
export function formatDays(days: readonly IncompleteDay[], language: string): string {
  const spans: { first: number; last: number }[] = [];
  for (const { day } of days) {
    const at = Date.parse(`${day}T00:00:00Z`);
    const open = spans.at(-1);
    if (open !== undefined && at - open.last === DAY_MS) open.last = at;
    else spans.push({ first: at, last: at });
  }
  const format = new Intl.DateTimeFormat(language, {
    month: "long",
    day: "numeric",
    timeZone: "UTC",
  });
  const span = ({ first, last }: { first: number; last: number }): string => {
    if (first === last) return format.format(first);
    // Japanese ranges of Intl are 11/01～11/02 where a day is 11月1日.
    return language === "ja"
      ? `${format.format(first)}〜${format.format(last)}`
      : format.formatRange(first, last);
  };
  return new Intl.ListFormat(language, { type: "conjunction" }).format(spans.map(span));
}

export const isEmpty = ({ time, requests, users }: Figures): boolean =>
  time.all <= 0 && requests.all <= 0 && users.all <= 0;

export const badMinutes = ({ time }: Figures): number => Math.max(0, time.all - time.good);

/**
 * Stretches of growing length as long as each holds more than the one before: where little was seen, the worst week is
 * the worst hour over again.
 */
export const distinctWorst = (worst: readonly WorstWindow[]): WorstWindow[] =>
  worst.filter((each, at) => {
    const before = worst[at - 1];
    return before?.requests !== each.requests || before.share !== each.share;
  });

/** The three definitions in the order in which they stand side by side. */
export const DEFINITIONS = ["time", "requests", "users"] as const;
export type Definition = (typeof DEFINITIONS)[number];

/** Around a stretch as it stands in an address: a quarter of its length more at each side, at least five minutes. */
export function aroundRange(from: string, lengthSeconds: number): string {
  const begin = Date.parse(from);
  const margin = Math.max(300, lengthSeconds / 4) * 1000;
  return [begin - margin, begin + lengthSeconds * 1000 + margin]
    .map((ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`)
    .join("..");
}

export const fileName = (report: Pick<MonthReport, "service" | "month">): string =>
  `availability-${report.service}-${report.month}.csv`;
