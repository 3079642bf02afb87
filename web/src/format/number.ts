// Numbers as people read them. Pure: the language comes in as an argument. An unknown value is
// always a dash, never a zero. A number and its unit stay on one line (\u00a0, \u2060).

import { hold } from "./hold";

export const UNKNOWN = "–";

const cache = new Map<string, Intl.NumberFormat>();

function plain(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language}|${JSON.stringify(options)}`;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.NumberFormat(language, { signDisplay: "negative", ...options });
    cache.set(key, found);
  }
  return found;
}

const digits = (language: string, value: number, count: number): string =>
  plain(language, { minimumFractionDigits: count, maximumFractionDigits: count }).format(value);

export function formatCount(value: number | null, language: string): string {
  return value === null ? UNKNOWN : plain(language, { maximumFractionDigits: 0 }).format(value);
}

/** Three significant digits, for an axis or a column whose title says the unit. */
export function formatPlain(value: number | null, language: string): string {
  return value === null ? UNKNOWN : plain(language, { maximumSignificantDigits: 3 }).format(value);
}

/** Three significant digits and the unit that keeps the number short. */
export function formatMs(value: number | null, language: string): string {
  if (value === null) return UNKNOWN;
  if (value === 0) return "0\u00a0ms";
  if (value < 1) return `${digits(language, value, 2)}\u00a0ms`;
  if (value < 10) return `${digits(language, value, 1)}\u00a0ms`;
  if (value < 999.5) return `${digits(language, value, 0)}\u00a0ms`;
  if (value < 9_995) return `${digits(language, value / 1000, 2)}\u00a0s`;
  if (value < 60_000) return `${digits(language, value / 1000, 1)}\u00a0s`;
  return formatDuration(value / 1000, language);
}

const TIME_UNITS: Record<string, readonly [string, string, string, string]> = {
  en: ["s", "min", "h", "d"],
  ja: ["秒", "分", "時間", "日"],
};

/** Time that adds up: "50 min", "8.7 h", "3.4 d". */
export function formatDuration(seconds: number | null, language: string): string {
  if (seconds === null) return UNKNOWN;
  const [second, minute, hour, day] = TIME_UNITS[language] ?? ["s", "min", "h", "d"];
  const text = (value: number, count: number, unit: string): string =>
    `${digits(language, value, count)}\u00a0${unit}`;
  if (seconds < 60) return text(seconds, seconds !== 0 && seconds < 10 ? 1 : 0, second);
  if (seconds < 3_600) return text(seconds / 60, seconds < 600 ? 1 : 0, minute);
  if (seconds < 172_800) return text(seconds / 3_600, 1, hour);
  return text(seconds / 86_400, 1, day);
}

/** A number and its unit of time in words, with as many digits as are asked for: "43.2 minutes". */
export const inWords = (
  value: number,
  unit: "second" | "minute" | "hour" | "day",
  language: string,
  options: Intl.NumberFormatOptions = {},
): string =>
  hold(
    new Intl.NumberFormat(language, {
      style: "unit",
      unit,
      unitDisplay: "long",
      ...options,
    }).format(value),
  );

/** A length of time in words and whole numbers, in the largest unit of which there are two: "4 minutes", "90 minutes". */
export function formatLength(seconds: number, language: string): string {
  const [unit, size] =
    seconds < 120
      ? (["second", 1] as const)
      : seconds < 7_200
        ? (["minute", 60] as const)
        : seconds < 172_800
          ? (["hour", 3_600] as const)
          : (["day", 86_400] as const);
  const whole = unit === "hour" ? Math.round((seconds / size) * 2) / 2 : Math.round(seconds / size);
  return inWords(whole, unit, language);
}

/** A ratio as per cent with as many digits as it needs, rounded so that it never looks better. */
export function formatBadRatio(ratio: number | null, language: string): string {
  if (ratio === null) return UNKNOWN;
  const percent = ratio * 100;
  if (percent === 0) return "0\u00a0%";
  if (percent < 0.001) return "<\u00a00.001\u00a0%";
  const count = percent < 0.1 ? 3 : percent < 10 ? 2 : 1;
  const scale = 10 ** count;
  return `${digits(language, Math.ceil(percent * scale - 1e-9) / scale, count)}\u00a0%`;
}

/** Thousandths of a percent, rounded down: with one bad in a trillion it is not 100 %. Null: there was nothing. */
export function goodThousandths(good: number, total: number): number | null {
  if (total <= 0) return null;
  // Whole numbers: 29 of 100 are 28 999.999… thousandths to a machine that divides first.
  return Number((BigInt(Math.floor(good)) * 100_000n) / BigInt(Math.ceil(total)));
}

/** Share of good requests with as many digits as it needs, rounded down to them: it never looks better. */
export function formatGoodShare(good: number, total: number, language: string): string | null {
  const thousandths = goodThousandths(good, total);
  if (thousandths === null) return null;
  const count = thousandths % 100 === 0 ? 1 : thousandths > 99_000 ? 3 : 2;
  const step = 10 ** (3 - count);
  return `${digits(language, (Math.floor(thousandths / step) * step) / 1000, count)}\u00a0%`;
}

export function formatShare(ratio: number | null, language: string): string {
  if (ratio === null) return UNKNOWN;
  return `${digits(language, ratio * 100, ratio > 0 && ratio < 0.0995 ? 1 : 0)}\u00a0%`;
}

/** The same for a share of what is good or done, rounded down: 99.6 % is not all of it. */
export function formatShareDown(ratio: number | null, language: string): string {
  if (ratio === null) return UNKNOWN;
  const count = ratio > 0 && ratio < 0.1 ? 1 : 0;
  const scale = 10 ** count;
  return `${digits(language, Math.floor(ratio * 100 * scale + 1e-9) / scale, count)}\u00a0%`;
}

/** Per cent with the three digits that a limit or a measurement is worth: "0.13 %", "99.9 %". */
export function formatPerCent(ratio: number | null, language: string): string {
  return ratio === null ? UNKNOWN : `${formatPlain(ratio * 100, language)}\u00a0%`;
}

/** What is left of a budget, rounded down; below zero when it is overspent. */
export function formatLeft(ratio: number | null, language: string): string {
  if (ratio === null) return UNKNOWN;
  const scale = Math.abs(ratio) < 1 ? 1000 : 100;
  const percent = (Math.floor(ratio * scale + 1e-9) / scale) * 100;
  return `${plain(language, { maximumFractionDigits: 1 }).format(percent).replace("-", "−")}\u00a0%`;
}

/** How many times as much as is allowed, rounded up. */
export function formatTimes(times: number, language: string): string {
  const count = times < 10 ? 2 : times < 100 ? 1 : 0;
  const scale = 10 ** count;
  return plain(language, { maximumFractionDigits: count }).format(
    Math.ceil(times * scale - 1e-9) / scale,
  );
}

/** `0.12–0.31\u00a0%`: the interval in which the true ratio lies with 95 % confidence. */
export function formatInterval(low: number | null, high: number | null, language: string): string {
  if (low === null || high === null) return UNKNOWN;
  if (high < 0.000_01) return "<\u00a00.001\u00a0%";
  const count = high < 0.001 ? 3 : high < 0.1 ? 2 : 1;
  return `${digits(language, low * 100, count)}\u2060–\u2060${digits(language, high * 100, count)}\u00a0%`;
}

export function formatRate(perSecond: number | null, language: string): string {
  if (perSecond === null) return UNKNOWN;
  return digits(
    language,
    perSecond,
    perSecond === 0 ? 0 : perSecond < 1 ? 2 : perSecond < 100 ? 1 : 0,
  );
}

export function formatBytes(bytes: number | null, language: string): string {
  if (bytes === null) return UNKNOWN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${digits(language, value, unit === 0 || value >= 100 ? 0 : 1)}\u00a0${units[unit] ?? ""}`;
}

/** How much more or less than before, signed: "+38 %". Null without something to compare with. */
export function formatChange(
  now: number | null,
  before: number | null,
  language: string,
): string | null {
  if (now === null || before === null || before === 0) return null;
  const ratio = now / before - 1;
  if (Math.abs(ratio) < 0.005) return "±0\u00a0%";
  if (ratio > 9.995) return `×${digits(language, now / before, 0)}`;
  const sign = ratio < 0 ? "−" : "+";
  return `${sign}${digits(language, Math.abs(ratio) * 100, 0)}\u00a0%`;
}
