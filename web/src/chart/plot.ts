// uPlot's options for a time chart: axes in the page's zone, a shared cursor.
// Loaded only when a page shows a chart.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { AXIS_BELOW, AXIS_LEFT, SPACE_RIGHT, SPACE_TOP } from "./frame";
import { valueRange } from "./scale";

export type LineStyle =
  "thin" | "strong" | "light" | "before" | "limit" | `line-${1 | 2 | 3 | 4 | 5 | 6 | 7}`;
export const STYLE_TOKENS = [
  "p50",
  "p95",
  "p99",
  "before",
  "line-1",
  "line-2",
  "line-3",
  "line-4",
  "line-5",
  "line-6",
  "line-7",
  "ink-2",
  "rule",
  "rule-strong",
  "accent",
] as const;
export type Colours = Record<(typeof STYLE_TOKENS)[number], string>;

export interface PlotSetup {
  width: number;
  height: number;
  zone: string;
  log: boolean;
  colours: Colours;
  lines: { label: string; style: LineStyle }[];
  sync: string | null;
  font: string;
  formatX: (seconds: number, stepSeconds: number) => string;
  formatY: (value: number) => string;
  /** Read on every drawing, so that moving along in time needs no new chart. */
  xRange: () => [number, number];
  onspan: ((from: number, to: number) => void) | null;
  oncursor: (index: number | null) => void;
}

const WIDTHS: Record<
  "thin" | "strong" | "light" | "before",
  { token: "p50" | "p95" | "p99" | "before"; width: number }
> = {
  thin: { token: "p50", width: 1 },
  strong: { token: "p95", width: 2.25 },
  light: { token: "p99", width: 1.25 },
  before: { token: "before", width: 1.5 },
};

export function draw(host: HTMLElement, setup: PlotSetup, data: uPlot.AlignedData): uPlot {
  const grid = { stroke: setup.colours.rule, width: 1 };
  const axis = { stroke: setup.colours["ink-2"], font: setup.font, grid, ticks: { show: false } };
  const options: uPlot.Options = {
    width: setup.width,
    height: setup.height,
    padding: [SPACE_TOP, SPACE_RIGHT, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), setup.zone),
    cursor: {
      ...(setup.sync === null ? {} : { sync: { key: setup.sync, setSeries: false } }),
      drag: { x: setup.onspan !== null, y: false, setScale: false, dist: 4 },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: { time: true, range: () => setup.xRange() },
      y: setup.log ? { distr: 3, log: 10 } : { range: (_, min, max) => valueRange(min, max) },
    },
    axes: [
      {
        ...axis,
        size: AXIS_BELOW,
        space: 80,
        values: (_, splits, __, ___, step) => splits.map((at) => setup.formatX(at, step)),
      },
      {
        ...axis,
        size: AXIS_LEFT,
        space: 28,
        values: (_, splits) => splits.map((value) => (value === null ? "" : setup.formatY(value))),
      },
    ],
    series: [{}, ...setup.lines.map((line) => seriesOf(line, setup.colours))],
    hooks: {
      // Below the lines and above the grid.
      drawAxes: [(plot) => drawZero(plot, setup.colours["ink-2"])],
      setCursor: [(plot) => setup.oncursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4 || !setup.onspan) return;
          const span = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          setup.onspan(span[0] ?? 0, span[1] ?? 0);
        },
      ],
    },
  };
  return new uPlot(options, data, host);
}

function seriesOf(line: { label: string; style: LineStyle }, colours: Colours): uPlot.Series {
  const base = {
    label: line.label,
    spanGaps: false,
    points: { size: line.style === "strong" ? 5 : 4 },
  };
  switch (line.style) {
    case "thin":
    case "strong":
    case "light":
    case "before": {
      const style = WIDTHS[line.style];
      return { ...base, stroke: colours[style.token], width: style.width };
    }
    // The same at every moment: its points say nothing.
    case "limit":
      return {
        ...base,
        stroke: colours["line-2"],
        width: 1,
        dash: [5, 4],
        points: { show: false },
      };
    default:
      return { ...base, stroke: colours[line.style], width: 1.75 };
  }
}

/** Where values lie below zero, zero is no longer the edge: it is marked. */
function drawZero(plot: uPlot, colour: string): void {
  if ((plot.scales["y"]?.min ?? 0) >= 0) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(0, "y", true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
