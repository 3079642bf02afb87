// What counts as near full. Pure.

import type { NearFull } from "../../api/types";

const MUCH = 0.8;
const SOON_DAYS = 30;

type Filling = Pick<NearFull, "used_ratio" | "full_in_days">;

/** What will be full first; null when of nothing it is known. */
export function soonestOf<T extends Filling>(rows: readonly T[]): T | null {
  const filling = rows.filter((row) => row.full_in_days !== null);
  return filling.sort((a, b) => (a.full_in_days ?? 0) - (b.full_in_days ?? 0))[0] ?? null;
}

/** Whether it has to be said: much is used of the fullest, or something will be full before long, which may be at once. */
export const isNear = (fullest: Filling, soonest: Filling | null): boolean =>
  fullest.used_ratio >= MUCH ||
  (soonest !== null && soonest.full_in_days !== null && soonest.full_in_days < SOON_DAYS);
