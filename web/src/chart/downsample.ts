// Thins a series to what a screen can show, without losing a peak: per pixel column it keeps the
// first, lowest, highest and last point. A gap (null) stays a gap. Pure.

export type Series = readonly (number | null)[];

export interface Columns {
  x: number[];
  /** One array for each series, all as long as `x`. */
  ys: (number | null)[][];
}

/** At most about `4 * series * pixels` points; input that is already small is returned as it is. */
export function downsample(x: readonly number[], ys: readonly Series[], pixels: number): Columns {
  const columns = Math.max(1, Math.floor(pixels));
  if (x.length <= columns * 4) return { x: [...x], ys: ys.map((series) => [...series]) };
  const keep = keptIndexes(x, ys, columns);
  return {
    x: keep.map((at) => x[at] ?? 0),
    ys: ys.map((series) => keep.map((at) => series[at] ?? null)),
  };
}

function keptIndexes(x: readonly number[], ys: readonly Series[], columns: number): number[] {
  const first = x[0] ?? 0;
  const width = ((x[x.length - 1] ?? first) - first) / columns || 1;
  const keep: number[] = [];
  let start = 0;
  while (start < x.length) {
    const column = Math.min(columns - 1, Math.floor(((x[start] ?? 0) - first) / width));
    let end = start + 1;
    while (end < x.length && columnOf(x[end] ?? 0, first, width, columns) === column) end += 1;
    for (const at of bucketIndexes(ys, start, end)) keep.push(at);
    start = end;
  }
  return keep;
}

const columnOf = (at: number, first: number, width: number, columns: number): number =>
  Math.min(columns - 1, Math.floor((at - first) / width));

function bucketIndexes(ys: readonly Series[], start: number, end: number): number[] {
  const found = new Set<number>([start, end - 1]);
  for (const series of ys) {
    let low = -1;
    let high = -1;
    let gap = -1;
    for (let at = start; at < end; at += 1) {
      const value = series[at] ?? null;
      if (value === null) {
        gap = at;
        continue;
      }
      if (low === -1 || value < (series[low] ?? 0)) low = at;
      if (high === -1 || value > (series[high] ?? 0)) high = at;
    }
    for (const at of [low, high, gap]) if (at !== -1) found.add(at);
  }
  return [...found].sort((a, b) => a - b);
}
