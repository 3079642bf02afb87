// Where a time axis has its labels: full hours and days of the zone that is shown. Pure.

import { startOfDay } from "../time/zone";

const STEPS = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
  172_800, 604_800, 1_209_600, 2_592_000,
];

/** At most `most` moments in the span, counted from a midnight of the zone. */
export function niceTicks(from: number, to: number, most: number, zone: string): number[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? 2_592_000;
  const midnight = startOfDay(new Date(from * 1000), zone).getTime() / 1000;
  const ticks: number[] = [];
  const first = midnight + Math.ceil((from - midnight) / step) * step;
  for (let at = first; at < to; at += step) ticks.push(at);
  return ticks;
}
