// The signals of a service or a route, and the same of the weekday before, side by side.

import { readSignals } from "../../api/endpoints";
import type { Point, Signals } from "../../api/types";
import * as clock from "../../app/clock.svelte";
import { compare } from "../../app/prefs.svelte";
import { resource, type Resource } from "../../app/resource.svelte";
import { shiftPoints } from "../../chart/align";
import { previousShiftSeconds, shiftSpan } from "../../time/range";

export interface Before {
  latency_p95_ms: Point[];
  traffic_per_s: Point[];
  error_ratio: Point[];
}

export function comparedSignals(
  service: string,
  route: () => string | null,
): { signals: Resource<Signals>; before: Resource<Before> } {
  const signals = resource((signal) => readSignals(service, clock.span(), route(), signal));
  const before = resource((signal) => {
    if (!compare()) return null;
    const span = clock.span();
    const seconds = previousShiftSeconds(span);
    const origin = span.from.getTime() / 1000;
    return readSignals(service, shiftSpan(span, seconds), route(), signal).then((found) => {
      const moved = (points: Point[]): Point[] =>
        shiftPoints(
          points,
          seconds,
          found.step_s,
          Math.floor(origin / found.step_s) * found.step_s,
        );
      return {
        latency_p95_ms: moved(found.series.latency_p95_ms),
        traffic_per_s: moved(found.series.traffic_per_s),
        error_ratio: moved(found.series.error_ratio),
      };
    });
  });
  return { signals, before };
}
