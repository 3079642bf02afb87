// Which groups of errors a list shows, where each is shown by itself, and how a trend is drawn. Pure.

import type { ErrorGroup, ErrorState } from "../../api/types";

/** What a list can be narrowed down to; what is reopened is open again. */
export const SHOWN = ["open", "resolved", "ignored", "all"] as const;
export type Shown = (typeof SHOWN)[number];

export const shownOf = (text: string | null): Shown =>
  SHOWN.find((each) => each === text) ?? "open";

export function belongs(state: ErrorState, shown: Shown): boolean {
  if (shown === "all") return true;
  return shown === "open" ? state === "open" || state === "reopened" : state === shown;
}

export function shownGroups(
  groups: readonly ErrorGroup[],
  shown: Shown,
  words: string,
): ErrorGroup[] {
  const wanted = words.trim().toLowerCase();
  return groups.filter(
    (group) =>
      belongs(group.state, shown) &&
      (wanted === "" || `${group.kind} ${group.message}`.toLowerCase().includes(wanted)),
  );
}

export const countOf = (groups: readonly ErrorGroup[], shown: Shown): number =>
  groups.filter((group) => belongs(group.state, shown)).length;

/** The path of a group's page; `href` adds the rest. */
export const groupPath = (group: string): string => `/errors/${encodeURIComponent(group)}`;

export interface TrendBar {
  x: number;
  y: number;
  height: number;
}

/** Bars of a small chart; what is not zero is always seen. Neighbours join when there is no room for all. */
export function trendBars(
  trend: readonly number[],
  width: number,
  height: number,
  barWidth: number,
): TrendBar[] {
  const places = Math.max(1, Math.floor(width / barWidth));
  const each = Math.max(1, Math.ceil(trend.length / places));
  const sums: number[] = [];
  for (let at = 0; at < trend.length; at += each)
    sums.push(trend.slice(at, at + each).reduce((all, n) => all + n, 0));
  const most = Math.max(1, ...sums);
  const wide = width / Math.max(1, sums.length);
  return sums.flatMap((sum, at) => {
    if (sum === 0) return [];
    const tall = Math.max(2, Math.round((sum / most) * height));
    return [{ x: at * wide, y: height - tall, height: tall }];
  });
}

export interface Frame {
  text: string;
  /** The application's own code. */
  own: boolean;
}

/** Frames as they are stored: innermost first, the application's own marked with a star. */
export function framesOf(stack: string | null): Frame[] {
  return (stack ?? "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) =>
      line.endsWith(" *") ? { text: line.slice(0, -2), own: true } : { text: line, own: false },
    );
}
