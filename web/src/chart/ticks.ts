// Where a time axis has its labels: full hours and days of the zone that is shown. Pure.

import { startOfDay } from "../time/zone";

const STEPS = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
  172_800, 604_800, 1_209_600, 2_592_000,
];

const LABEL_WIDTH = 110;

export interface Tick {
  /** Unix seconds. */
  at: number;
  x: number;
  /** Seconds to the next one: it decides how exact a label has to be. */
  step: number;
  /** A label at the edge grows inwards, so that it is not cut. */
  anchor: "start" | "middle" | "end";
}

/** Labels with room for each on an axis of this width. */
export function placedTicks(from: number, to: number, width: number, zone: string): Tick[] {
  const moments = niceTicks(from, to, Math.max(2, Math.floor(width / LABEL_WIDTH)), zone);
  const step = (moments[1] ?? to) - (moments[0] ?? from);
  return moments.map((at) => {
    const x = ((at - from) / Math.max(1, to - from)) * width;
    return { at, x, step, anchor: x < 24 ? "start" : x > width - 24 ? "end" : "middle" };
  });
}

/** At most `most` moments in the span, counted from a midnight of the zone. */
export function niceTicks(from: number, to: number, most: number, zone: string): number[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? 2_592_000;
  const midnight = startOfDay(new Date(from * 1000), zone).getTime() / 1000;
  const ticks: number[] = [];
  const first = midnight + Math.ceil((from - midnight) / step) * step;
  for (let at = first; at < to; at += step) ticks.push(at);
  return ticks;
}
