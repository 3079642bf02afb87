// Puts several series on one time axis. Pure.

import type { Point } from "../api/types";
import type { Columns } from "./downsample";

/** One axis for all; where a series has no point at a moment there is a gap, never a zero. */
export function align(series: readonly (readonly Point[])[]): Columns {
  const [first, ...others] = series.filter((points) => points.length > 0);
  if (!first) return { x: [], ys: series.map(() => []) };
  let x = first.map(([at]) => at);
  for (const points of others) if (!sameMoments(x, points)) x = merged(x, points);
  return { x, ys: series.map((points) => valuesAt(x, points)) };
}

/** Nearly always so: the server gives all series of an answer on the same steps. */
function sameMoments(x: readonly number[], points: readonly Point[]): boolean {
  return x.length === points.length && points.every(([at], index) => at === x[index]);
}

function merged(x: readonly number[], points: readonly Point[]): number[] {
  return [...new Set([...x, ...points.map(([at]) => at)])].sort((a, b) => a - b);
}

function valuesAt(x: readonly number[], points: readonly Point[]): (number | null)[] {
  if (sameMoments(x, points)) return points.map(([, value]) => value);
  const known = new Map(points);
  return x.map((at) => known.get(at) ?? null);
}

/** The same curve `seconds` later, on the steps of the axis it is compared with. */
export function shiftPoints(
  points: readonly Point[],
  seconds: number,
  stepSeconds: number,
  origin: number,
): Point[] {
  return points.map(([at, value]) => {
    const steps = Math.round((at + seconds - origin) / stepSeconds);
    return [origin + steps * stepSeconds, value];
  });
}

/** The newest value that is known. */
export function lastValue(points: readonly Point[]): number | null {
  for (let at = points.length - 1; at >= 0; at -= 1) {
    const value = points[at]?.[1] ?? null;
    if (value !== null) return value;
  }
  return null;
}

/** Steps at the end of which nothing need be known yet: the one that goes on, and what is on its way. */
const FRESH_STEPS = 3;

/** The moment of the newest value of any of the series, when it lies further back than what may still be on its way. */
export function lastIsOld(series: readonly (readonly Point[])[]): number | null {
  const { x, ys } = align(series);
  for (let at = x.length - 1; at >= 0; at -= 1)
    if (ys.some((y) => (y[at] ?? null) !== null))
      return at < x.length - FRESH_STEPS ? (x[at] ?? null) : null;
  return null;
}

/** Lowest and highest known value; null when nothing is known. */
export function extent(points: readonly Point[]): { low: number; high: number } | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const [, value] of points) {
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low === Number.POSITIVE_INFINITY ? null : { low, high };
}

/** True when nothing at all is known, which is not the same as all zero. */
export const isEmpty = (points: readonly Point[]): boolean =>
  points.every(([, value]) => value === null);
