// Numbers of the watch as people read them, in the language of the page.

import type { Exhaustion, Why } from "../../api/watch";
import * as text from "../../app/text";
import { formatLeft, formatTimes } from "../../format/number";
import { language, t, type MessageKey } from "../../i18n/i18n.svelte";
import { coverage, spanSeconds } from "./objectives";
import { unitOf } from "./signal";

/** What is left of a budget, rounded down so that it never looks better; below zero when it is overspent. */
export const leftText = (left: number | null): string => formatLeft(left, language());

/** How many times what was allowed is bad, of a budget that is overspent. */
export const overText = (left: number): string => formatTimes(1 - left, language());

const WINDOWS: Record<string, MessageKey> = {
  week: "window-week",
  month: "window-month",
  quarter: "window-quarter",
};
/** The window of an objective in words: "30 days", "a calendar month". */
export function windowText(spec: string): string {
  const seconds = spanSeconds(spec);
  if (seconds !== null) return text.length(seconds);
  const known = WINDOWS[spec];
  return known ? t(known) : spec;
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

/** How much of the time was seen: for how long while it is less than a half, else the share, rounded down, and the rest. */
export function seenText(sum: { minutes: number; seen: number }): string {
  const share = coverage(sum);
  if (share === null) return "–";
  const missing = (sum.minutes - sum.seen) * 60;
  if (missing <= 0) return t("seen-all");
  if (sum.seen <= 0) return t("seen-nothing", { whole: text.length(sum.minutes * 60) });
  if (share < 0.5)
    return t("seen-length", {
      seen: text.length(sum.seen * 60),
      whole: text.length(sum.minutes * 60),
    });
  return t("seen-share", {
    share: text.perCent(Math.floor(share * 1000) / 1000),
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
  if (value === null) return "–";
  switch (unitOf(condition)) {
    case "ms":
      return text.ms(value);
    case "seconds":
      return text.duration(value);
    case "share":
      return text.perCent(value);
    case "budget":
      return leftText(value);
    case "burn":
      return burn(value);
    case "days":
      return text.duration(value * 86_400);
    case "people":
      return t("amount-people", { n: Math.round(value) });
    case "per-second":
      return t("amount-per-second", { n: text.plain(value) });
    case "plain":
      return text.plain(value);
  }
}

/** The same without its unit, where a title says it: on the axis of a chart. */
export function amountPlain(value: number | null, condition: string): string {
  const share = unitOf(condition) === "share";
  return text.plain(value !== null && share ? value * 100 : value);
}

/** What was measured, and the limit of it if there is one: "measured 185 ms, limit 20 ms". */
export const measuredText = (value: number, limit: number | null, condition: string): string =>
  limit === null
    ? t("firing-value", { value: amount(value, condition) })
    : t("firing-value-limit", {
        value: amount(value, condition),
        limit: amount(limit, condition),
      });

/** The unit by itself, for the title of a chart. */
export function unitText(condition: string): string {
  switch (unitOf(condition)) {
    case "ms":
      return "ms";
    case "seconds":
      return t("unit-seconds");
    case "share":
    case "budget":
      return "%";
    case "burn":
      return "×";
    case "days":
      return t("unit-days");
    case "people":
      return t("people");
    case "per-second":
      return t("unit-per-second");
    case "plain":
      return "";
  }
}

/** What is wrong with a check. What was observed is shown as it came. */
export const whyText = (why: Pick<Why, "code" | "text">): string =>
  why.code === "no_runner" ? t("check-no-runner") : why.text;

/** Where a check runs: the server, or a host with an agent by its name. */
export const placeText = (place: string): string =>
  place === "server" ? t("place-server") : place;
