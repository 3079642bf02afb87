import { describe, expect, it } from "vitest";
import type { Point } from "../api/types";
import { align, isEmpty, lastIsOld, lastValue, shiftPoints } from "./align";
import { downsample } from "./downsample";
import { valueRange } from "./scale";
import { sparkPaths } from "./spark";
import { niceTicks, placedTicks } from "./ticks";

describe("thinning a long series", () => {
  const many = 100_000;
  const x = Array.from({ length: many }, (_, at) => at);
  const flat = x.map(() => 10);

  it("leaves a short one as it is", () => {
    const short = downsample([1, 2, 3], [[1, null, 3]], 100);
    expect(short).toEqual({ x: [1, 2, 3], ys: [[1, null, 3]] });
  });
  it("keeps every single peak and dip, of every line", () => {
    const spikes: (number | null)[] = [...flat];
    const dips: (number | null)[] = [...flat];
    for (const at of [5, 777, 50_001, 99_998]) {
      spikes[at] = 9_000 + at;
      dips[at + 1] = -at - 1;
    }
    const { ys } = downsample(x, [spikes, dips], 800);
    for (const at of [5, 777, 50_001, 99_998]) {
      expect(ys[0], `peak at ${at}`).toContain(9_000 + at);
      expect(ys[1], `dip at ${at}`).toContain(-at - 1);
    }
  });
  it("keeps gaps, the ends and the order, in far fewer points", () => {
    const gapped: (number | null)[] = [...flat];
    for (let at = 40_000; at < 60_000; at += 1) gapped[at] = null;
    const thin = downsample(x, [gapped], 800);
    expect(thin.x.length).toBeLessThan(800 * 5);
    expect(thin.x[0]).toBe(0);
    expect(thin.x.at(-1)).toBe(many - 1);
    expect(thin.x.every((at, index) => index === 0 || at > (thin.x[index - 1] ?? 0))).toBe(true);
    expect(thin.ys[0]?.filter((value) => value === null).length).toBeGreaterThan(100);
  });
  it("keeps a gap of one single point", () => {
    const gapped: (number | null)[] = [...flat];
    gapped[33_333] = null;
    expect(downsample(x, [gapped], 300).ys[0]).toContain(null);
  });
  it("takes nothing, and all at one moment", () => {
    expect(downsample([], [[]], 10)).toEqual({ x: [], ys: [[]] });
    const same = Array.from({ length: 500 }, () => 7);
    expect(downsample(same, [same], 10).x.length).toBeLessThan(100);
  });
});

describe("the axis of values", () => {
  it.each([
    ["from zero up", 20, 100, 0, 108],
    ["nothing known", null, null, 0, 1],
    ["nothing but zeros", 0, 0, 0, 1],
    ["on both sides of zero", -50, 100, -54, 108],
    ["far below zero, with zero in sight", -5_000, -5_000, -5_400, 324],
  ])("%s", (_, low, high, from, to) => {
    const range = valueRange(low, high);
    expect(range[0]).toBeCloseTo(from);
    expect(range[1]).toBeCloseTo(to);
    expect(Object.is(range[0], -0)).toBe(false);
  });
});

describe("lines on one axis", () => {
  it("have gaps where they have no point, never zeros", () => {
    const joined = align([
      [
        [10, 1],
        [30, 3],
      ],
      [
        [20, 0],
        [30, null],
      ],
    ]);
    expect(joined).toEqual({
      x: [10, 20, 30],
      ys: [
        [1, null, 3],
        [null, 0, null],
      ],
    });
  });
  it("put an earlier week on the steps of this one", () => {
    const before: Point[] = [
      [1_007, 5],
      [1_067, null],
    ];
    expect(shiftPoints(before, 600, 60, 1_600)).toEqual([
      [1_600, 5],
      [1_660, null],
    ]);
  });
  it("know their latest value, and that nothing known is not zero", () => {
    expect(
      lastValue([
        [1, 4],
        [2, null],
      ]),
    ).toBe(4);
    expect(isEmpty([[1, null]])).toBe(true);
    expect(isEmpty([[1, 0]])).toBe(false);
  });
});

describe("the latest value", () => {
  const line = (text: string): Point[] => [...text].map((c, at) => [at * 60, c === "-" ? null : 1]);
  it.each([
    ["is of now", "111", [], null],
    ["is of now while the last steps are on their way", "1111--", [], null],
    ["is old when it has been silent for longer", "1111---", [], 180],
    ["is of now as long as one line goes on", "11-----", ["1111111"], null],
    ["is not there at all", "---", [], null],
    ["of nothing is nothing", "", [], null],
  ])("%s", (_, first, others, want) => expect(lastIsOld([first, ...others].map(line))).toBe(want));
});

describe("a small line", () => {
  it("is broken at a gap, and absent without data", () => {
    const points: Point[] = [
      [0, 1],
      [1, 0.5],
      [2, null],
      [3, 1],
    ];
    expect(sparkPaths(points, 100, 20, null)).toHaveLength(2);
    expect(sparkPaths([[0, null]], 100, 20, null)).toEqual([]);
  });
});

describe("labels of a time axis", () => {
  it.each([
    ["Asia/Tokyo", "2026-11-21T15:00:00.000Z"],
    ["UTC", "2026-11-22T00:00:00.000Z"],
  ])("fall on full hours and on midnight in %s", (zone, midnight) => {
    const to = Date.parse("2026-11-22T10:47:13Z") / 1000;
    const ticks = niceTicks(to - 86_400, to, 9, zone).map((at) =>
      new Date(at * 1000).toISOString(),
    );
    expect(ticks).toContain(midnight);
    expect(ticks.length).toBeLessThanOrEqual(9);
    expect(ticks.every((at) => at.includes(":00:00.000Z"))).toBe(true);
  });
  it("stand where they belong, and are not cut at the edges", () => {
    const from = Date.parse("2026-11-22T00:00:00Z") / 1000;
    const ticks = placedTicks(from, from + 3_600, 600, "UTC");
    expect(ticks.map(({ x }) => x)).toEqual([0, 150, 300, 450]);
    expect(ticks.every(({ step }) => step === 900)).toBe(true);
    expect(ticks.map(({ anchor }) => anchor).slice(0, 2)).toEqual(["start", "middle"]);
    expect(placedTicks(from, from, 600, "UTC")).toEqual([]);
  });
});
