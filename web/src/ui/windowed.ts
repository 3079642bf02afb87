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
