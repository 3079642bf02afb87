// Which rows of a long list are in sight. Pure.

export interface Window {
  start: number;
  end: number;
  /** Height of what is left out above and below. */
  above: number;
  below: number;
}

const EXTRA = 8;

export function windowOf(
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  count: number,
): Window {
  const start = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight) - EXTRA));
  const end = Math.min(count, Math.ceil((scrollTop + viewHeight) / rowHeight) + EXTRA);
  const shown = Math.max(start, end);
  return { start, end: shown, above: start * rowHeight, below: (count - shown) * rowHeight };
}

/** The same for rows of unequal height. A sum over all of them: fit for thousands, not for millions. */
export function windowOfHeights(
  scrollTop: number,
  viewHeight: number,
  heights: readonly number[],
): Window {
  let [start, above] = [0, 0];
  while (start < heights.length && above + (heights[start] ?? 0) <= scrollTop) {
    above += heights[start] ?? 0;
    start += 1;
  }
  let [end, shown] = [start, above];
  while (end < heights.length && shown < scrollTop + viewHeight) {
    shown += heights[end] ?? 0;
    end += 1;
  }
  const first = Math.max(0, start - EXTRA);
  const last = Math.min(heights.length, end + EXTRA);
  const sum = (from: number, to: number): number =>
    heights.slice(from, to).reduce((all, each) => all + each, 0);
  return {
    start: first,
    end: last,
    above: sum(0, first),
    below: sum(last, heights.length),
  };
}
