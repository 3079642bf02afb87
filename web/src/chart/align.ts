// Puts several series on one time axis. Pure.

import type { Point } from "../api/types";
import type { Columns } from "./downsample";

/** One axis for all; where a series has no point at a moment there is a gap, never a zero. */
export function align(series: readonly (readonly Point[])[]): Columns {
  const moments = new Set<number>();
  for (const points of series) for (const [at] of points) moments.add(at);
  const x = [...moments].sort((a, b) => a - b);
  const place = new Map(x.map((at, index) => [at, index]));
  const ys = series.map((points) => {
    const values = new Array<number | null>(x.length).fill(null);
    for (const [at, value] of points) {
      const index = place.get(at);
      if (index !== undefined) values[index] = value;
    }
    return values;
  });
  return { x, ys };
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
