// Numbers of the watch as people read them, in the language of the page.

import type { Exhaustion } from "../../api/watch";
import * as text from "../../app/text";
import { t } from "../../i18n/i18n.svelte";
import { coverage, spanSeconds } from "./objectives";
import { unitOf } from "./signal";

/** What is left of a budget, rounded down so that it never looks better; below zero when it is overspent. */
export function leftText(left: number | null): string {
  if (left === null) return "–";
  const percent = Math.floor(left * 1000 + 1e-9) / 10;
  return `${text.plain(percent).replace("-", "−")}\u00a0%`;
}

/** 1 uses up the budget exactly by the end of the window. */
export const burn = (rate: number | null): string => (rate === null ? "–" : `${text.plain(rate)}×`);

export function exhaustionText(exhaustion: Exhaustion): string {
  switch (exhaustion.state) {
    case "already":
      return t("exhaustion-already");
    case "in": {
      const seconds = spanSeconds(exhaustion.in);
      return seconds === null
        ? t("exhaustion-unknown")
        : t("exhaustion-in", { length: text.length(seconds) });
    }
    case "not_in_window":
      return t("exhaustion-not");
    case "unknown":
      return t("exhaustion-unknown");
  }
}

/** How much of the time was seen, rounded down, and how long was not. */
export function seenText(sum: { minutes: number; seen: number }): string {
  const share = coverage(sum);
  if (share === null) return "–";
  const missing = (sum.minutes - sum.seen) * 60;
  if (missing <= 0) return t("seen-all");
  return t("seen-share", {
    share: `${text.plain(Math.floor(share * 1000) / 10)}\u00a0%`,
    missing: text.duration(missing),
  });
}

/** How long something has been so: "for 12 minutes". */
export const lasting = (at: string, now: Date): string =>
  t("since-length", {
    length: text.length(Math.max(1, (now.getTime() - Date.parse(at)) / 1000)),
  });

/** A value in the unit of what a rule measures. */
export function amount(value: number | null, condition: string): string {
  switch (unitOf(condition)) {
    case "ms":
      return text.ms(value);
    case "seconds":
      return text.duration(value);
    case "share":
      return value === null ? "–" : `${text.plain(value * 100)}\u00a0%`;
    case "per-second":
      return value === null ? "–" : t("amount-per-second", { n: text.plain(value) });
    case "plain":
      return text.plain(value);
  }
}

/** The unit by itself, for the title of a chart. */
export function unitText(condition: string): string {
  switch (unitOf(condition)) {
    case "ms":
      return "ms";
    case "seconds":
      return t("unit-seconds");
    case "share":
      return "%";
    case "per-second":
      return t("unit-per-second");
    case "plain":
      return "";
  }
}
