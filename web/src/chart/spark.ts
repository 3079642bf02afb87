// A small line as SVG paths: one for each stretch without a gap. Pure.

import type { Point } from "../api/types";
import { extent } from "./align";

export function sparkPaths(
  points: readonly Point[],
  width: number,
  height: number,
  floor: number | null,
): string[] {
  const range = extent(points);
  const first = points[0];
  const last = points[points.length - 1];
  if (!range || !first || !last) return [];
  const low = floor === null ? range.low : Math.min(floor, range.low);
  const high = Math.max(range.high, low + 1e-9);
  const scaleX = (width - 2) / Math.max(1, last[0] - first[0]);
  const scaleY = (height - 4) / (high - low);
  const paths: string[] = [];
  let path = "";
  for (const [at, value] of points) {
    if (value === null) {
      if (path !== "") paths.push(path);
      path = "";
      continue;
    }
    const x = (1 + (at - first[0]) * scaleX).toFixed(1);
    const y = (height - 2 - (value - low) * scaleY).toFixed(1);
    path += path === "" ? `M${x} ${y}h0.01` : `L${x} ${y}`;
  }
  if (path !== "") paths.push(path);
  return paths;
}
