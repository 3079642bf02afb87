import { describe, expect, it } from "vitest";
import type { MetricSeries } from "../../api/types";
import {
  drawnOf,
  findMetrics,
  foldOf,
  foldsOf,
  formatValue,
  MOST_DRAWN,
  summariesOf,
  unitOf,
} from "./lines";

const series = (labels: (string | null)[]): MetricSeries => ({
  name: "m",
  step_s: 60,
  counter: false,
  rate: false,
  fold: "mean",
  by: "host",
  series: labels.length,
  labels: [],
  lines: labels.map((label, at) => ({
    label,
    series: 1,
    points: [
      [0, null],
      [60, at],
      [120, at + 1],
      [180, null],
    ],
  })),
  lines_left_out: 0,
  partial: null,
});

describe("the lines of a metric", () => {
  it("are summed up by what is known of them", () => {
    expect(summariesOf(series(["a"]))[0]).toMatchObject({ last: 1, low: 0, high: 1 });
  });
  it("are joined as the server says, and quantiles are never averaged", () => {
    const quantiles = {
      ...series(["a"]),
      fold: "max",
      labels: [["quantile", 3]] as [string, number][],
    };
    expect(foldsOf(series(["a"]))).toEqual(["mean", "sum", "min", "max"]);
    expect(foldsOf(quantiles)).toEqual(["min", "max"]);
    expect(foldOf(quantiles)).toBe("max");
  });
  it("are drawn up to a number that has colours, or one alone", () => {
    const lines = summariesOf(series(["a", "b", "c", "d", "e", "f", "g", "h", null]));
    const drawn = (only: string | null): (string | null)[] =>
      drawnOf(lines, only).map((line) => line.label);
    expect(drawn(null).length).toBe(MOST_DRAWN);
    expect(drawn("h")).toEqual(["h"]);
    expect(drawn("")).toEqual([null]);
    expect(drawn("gone").length).toBe(MOST_DRAWN);
  });
});

it.each([
  ["process_resident_memory_bytes", "bytes"],
  ["node_network_receive_bytes_total", "bytes"],
  ["http_request_duration_seconds_sum", "seconds"],
  ["http_request_duration_seconds_bucket", "plain"],
  ["http_request_duration_seconds_count", "plain"],
  ["http_requests_total", "plain"],
  ["cpu.busy_ratio", "ratio"],
])("the unit of %s is %s", (name, want) => {
  expect(unitOf(name)).toBe(want);
});

it.each([
  [1_048_576, "x_bytes", false, "1.0\u00a0MiB"],
  [-1, "x_bytes", false, "-1"],
  [0.25, "cpu.busy_ratio", false, "25\u00a0%"],
  [0.25, "cpu.busy_ratio", true, "0.25"],
  [null, "x_bytes", false, "–"],
  [1234.5, "x", false, "1,230"],
])("%s of %s reads well", (value, name, rate, want) => {
  expect(formatValue(value, name, rate, "en")).toBe(want);
});

it("metrics are found by parts of their name", () => {
  const all = [{ name: "http_requests_total" }, { name: "node_cpu" }];
  expect(findMetrics(all, "TOTAL http")).toEqual([all[0]]);
  expect(findMetrics(all, " ").length).toBe(2);
});
