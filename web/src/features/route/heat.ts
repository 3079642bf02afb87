// The heat map's arithmetic: how dark a cell is, and what a point on it stands for. Pure.

export interface HeatCells {
  step_s: number;
  bounds_ms: readonly number[];
  cells: readonly (readonly [number, readonly number[]])[];
}

/** 0 to 1 on a log scale: one request is seen beside ten thousand. An empty cell is 0. */
export function shade(count: number, most: number): number {
  if (count <= 0) return 0;
  if (most <= 1) return 1;
  return 0.18 + 0.82 * (Math.log(count) / Math.log(most));
}

export function mostIn(cells: HeatCells["cells"]): number {
  return cells.reduce((most, [, counts]) => Math.max(most, ...counts), 0);
}

export interface Spot {
  at: number;
  /** Lower and upper bound; the last band has no upper one. */
  low: number;
  high: number | null;
  count: number;
}

/** The cell under a point, with `x` and `y` from 0 to 1 and `y` upwards. */
export function spotAt(
  heat: HeatCells,
  x: number,
  y: number,
  from: number,
  to: number,
): Spot | null {
  const seconds = from + x * (to - from);
  const column = heat.cells.find(([at]) => seconds >= at && seconds < at + heat.step_s);
  if (!column) return null;
  const bands = column[1].length;
  const band = Math.min(bands - 1, Math.max(0, Math.floor(y * bands)));
  return {
    at: column[0],
    low: band === 0 ? 0 : (heat.bounds_ms[band - 1] ?? 0),
    high: heat.bounds_ms[band] ?? null,
    count: column[1][band] ?? 0,
  };
}
