// The lines of a metric: which are drawn, and what a table says of each. Pure.

import { FOLDS, type Fold } from "../../api/endpoints";
import type { MetricSeries, Point } from "../../api/types";
import { extent, lastValue } from "../../chart/align";
import { formatBytes, formatPlain, formatShare } from "../../format/number";

/** A chart with more lines than colours is read by nobody; the table has the others. */
export const MOST_DRAWN = 7;

export interface LineSummary {
  /** Null where series don't have the label. */
  label: string | null;
  series: number;
  points: Point[];
  last: number | null;
  low: number | null;
  high: number | null;
}

export function summariesOf(found: MetricSeries): LineSummary[] {
  return found.lines.map((line) => {
    const range = extent(line.points);
    return {
      label: line.label,
      series: line.series,
      points: line.points,
      last: lastValue(line.points),
      low: range?.low ?? null,
      high: range?.high ?? null,
    };
  });
}

/** The lines to draw: the chosen one alone, else the first of them. */
export function drawnOf(lines: readonly LineSummary[], only: string | null): LineSummary[] {
  const chosen = only === null ? [] : lines.filter((line) => (line.label ?? "") === only);
  return chosen.length > 0 ? chosen : lines.slice(0, MOST_DRAWN);
}

/** How the series of a line were joined. */
export function foldOf(found: MetricSeries): Fold {
  return FOLDS.find((fold) => fold === found.fold) ?? "mean";
}

/** The ways that make sense: the mean or the sum of quantiles is the quantile of nothing. */
export function foldsOf(found: MetricSeries): readonly Fold[] {
  const areQuantiles = found.labels.some(([label]) => label === "quantile");
  return areQuantiles ? FOLDS.filter((fold) => fold === "min" || fold === "max") : FOLDS;
}

export type UnitKind = "bytes" | "seconds" | "ratio" | "plain";

/** What a name says of its unit, as Prometheus's naming has it. A bucket counts, whatever it counts by. */
export function unitOf(name: string): UnitKind {
  if (name.endsWith("_bucket") || name.endsWith("_count")) return "plain";
  const stem = name.replace(/_(total|sum)$/, "");
  if (/[_.](bytes|memory_uss|rss)$/.test(stem)) return "bytes";
  if (/[_.]seconds$/.test(stem)) return "seconds";
  return /[_.]ratio$/.test(stem) ? "ratio" : "plain";
}

/** A value in its unit. Seconds a second are a share of one, so they are written plainly. */
export function formatValue(
  value: number | null,
  name: string,
  rate: boolean,
  language: string,
): string {
  const unit = unitOf(name);
  if (unit === "bytes" && (value === null || value >= 0)) return formatBytes(value, language);
  if (unit === "ratio" && !rate) return formatShare(value, language);
  return formatPlain(value, language);
}

export function findMetrics<M extends { name: string }>(
  metrics: readonly M[],
  words: string,
): readonly M[] {
  const wanted = words.trim().toLowerCase().split(/\s+/);
  return metrics.filter((each) => wanted.every((word) => each.name.toLowerCase().includes(word)));
}
