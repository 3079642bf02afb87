// How far the axis of values reaches. Pure.

/** A little more than there is above the highest value. */
const HEADROOM = 1.08;

/** From zero, or from below the lowest value where there are values below zero; zero itself is always in it. */
export function valueRange(low: number | null, high: number | null): [number, number] {
  const [from, to] = [Math.min(0, low ?? 0) * HEADROOM, Math.max(0, high ?? 0) * HEADROOM];
  // Nothing but zeros: a range needs some height.
  if (from === 0 && to === 0) return [0, 1];
  // All below zero: its line does not stick to the upper edge.
  return to === 0 ? [from, -from * 0.06] : [from === 0 ? 0 : from, to];
}
