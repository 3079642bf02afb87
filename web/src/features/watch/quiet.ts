// How people say what is to be quiet, and for how long. Pure.

import type { Matcher } from "../../api/watch";

export const WHILES = ["1h", "4h", "1d", "3d", "7d"] as const;
export type While = (typeof WHILES)[number];
const HOURS: Record<While, number> = { "1h": 1, "4h": 4, "1d": 24, "3d": 72, "7d": 168 };

export const untilOf = (length: While, now: Date): Date =>
  new Date(now.getTime() + HOURS[length] * 3_600_000);

/**
 * `rule=checkout-slow route="POST /cart"`: every pair has to match. Null when something is no pair, or when nothing is
 * named, which would silence everything.
 */
export function matchersOf(text: string): Matcher[] | null {
  const pair = /([\w.]+)=(?:"([^"]*)"|([^\s"]+))(?:\s+|$)/y;
  const whole = text.trim();
  const found: Matcher[] = [];
  while (pair.lastIndex < whole.length) {
    const match = pair.exec(whole);
    if (!match) return null;
    found.push({ label: match[1] ?? "", value: match[2] ?? match[3] ?? "" });
  }
  return found.some((each) => each.value.replaceAll("*", "").trim() !== "") ? found : null;
}
