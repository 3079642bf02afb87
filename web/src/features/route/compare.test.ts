import { describe, expect, it } from "vitest";
import type { StoredChange } from "../../api/types";
import { wilson } from "../../app/ratio";
import {
  changesToCompare,
  chosenChange,
  failedVerdict,
  leastTimes,
  quantileBounds,
  sideOf,
  stretchesAround,
  timeVerdict,
  type Estimate,
} from "./compare";

const change = (id: string, kind: StoredChange["kind"], at: string): StoredChange =>
  ({ id, kind, at, title: id }) as StoredChange;

describe("the change around which is compared", () => {
  const changes = [
    change("old", "deploy", "2026-11-20T00:00:00Z"),
    change("new", "deploy", "2026-11-25T00:00:00Z"),
    change("rule", "config", "2026-11-26T00:00:00Z"),
    change("first", "service", "2026-11-26T01:00:00Z"),
    change("limit", "limit", "2026-11-26T02:00:00Z"),
  ];
  const offered = changesToCompare(changes);
  it("is one that people made, the newest first", () =>
    expect(offered.map((each) => each.id)).toEqual(["rule", "new", "old"]));
  it.each([
    ["the last deploy", offered, null, "new"],
    ["the one that was asked for", offered, "rule", "rule"],
    ["the last deploy when that one is gone", offered, "gone", "new"],
    ["the last change where nothing was deployed", offered.slice(0, 1), null, "rule"],
    ["none where nothing changed", [], "rule", undefined],
  ] as const)("is %s", (_, list, id, want) => expect(chosenChange(list, id)?.id).toBe(want));
});

describe("the time before and after", () => {
  const texts = (at: string, until: string): string[] | null => {
    const found = stretchesAround(new Date(at), new Date(until));
    return (
      found &&
      [found.before.from, found.before.to, found.after.from, found.after.to].map((each) =>
        each.toISOString().slice(8, 16),
      )
    );
  };
  const AT = "2026-11-26T10:00:30Z";
  it.each([
    ["is as long on both sides, without the minute of the change", AT, "2026-11-26T10:11:20Z", ["26T09:50", "26T10:00", "26T10:01", "26T10:11"]],
    ["leaves out the minute which a change begins", "2026-11-26T10:00:00Z", "2026-11-26T10:02:00Z", ["26T09:59", "26T10:00", "26T10:01", "26T10:02"]],
    ["grows in ten minutes after an hour", AT, "2026-11-26T11:19:00Z", ["26T08:50", "26T10:00", "26T10:01", "26T11:11"]],
    ["is a day at most", AT, "2026-11-30T00:00:00Z", ["25T10:00", "26T10:00", "26T10:01", "27T10:01"]],
    ["is nothing before a minute has passed", AT, "2026-11-26T10:01:59Z", null],
    ["is nothing for a change that is yet to come", AT, "2026-11-26T09:00:00Z", null],
  ] as const)("%s", (_, at, until, want) => expect(texts(at, until)).toEqual(want)); // prettier-ignore
});

describe("the bounds of a percentile", () => {
  /** `n` requests, evenly from 1 to 10 ms. */
  const even = (n: number) => ({
    bounds_ms: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    cells: [
      [0, Array.from({ length: 10 }, () => n / 20)],
      [60, Array.from({ length: 10 }, () => n / 20)],
    ] as [number, number[]][],
  });
  it.each([
    ["the median of many", even(100_000), 0.5, { low: 4, high: 6 }],
    ["a percentile within a step", even(100_000), 0.95, { low: 9, high: 10 }],
    ["the median of a hundred is wider", even(100), 0.5, { low: 3, high: 7 }],
    // Ranks 5 to 16.
    ["the median of twenty is wider still", even(20), 0.5, { low: 2, high: 8 }],
    ["a high percentile of few has no upper end", even(20), 0.95, null],
    ["nothing of nothing", { bounds_ms: [], cells: [] }, 0.5, null],
    ["the lowest step begins with nothing that is told", { bounds_ms: [5], cells: [[0, [1000]]] as [number, number[]][] }, 0.5, { low: 0, high: 5 }],
  ] as const)("%s", (_, heat, q, want) => expect(quantileBounds(heat as ReturnType<typeof even>, q)).toEqual(want)); // prettier-ignore

  it("hold the estimate though it misses one of them by its error", () => {
    const total = { requests: 1000, errors: 1, error_ratio: 0.001, error_ratio_low: 0, error_ratio_high: 0.005, timed: 1000, p50_ms: 5.05, p95_ms: 10.1, p99_ms: null }; // prettier-ignore
    const side = sideOf(total, even(100_000));
    expect(side.p95).toEqual({ at: 10.1, low: 9, high: 10.1 });
    expect(side.p99).toBeNull();
    expect(side.failed).toEqual({ at: 0.001, low: 0, high: 0.005 });
    expect(sideOf({ ...total, error_ratio: null }, even(10)).failed).toBeNull();
  });
});

const share = (bad: number, all: number): Estimate => ({
  at: bad / all,
  low: wilson(bad, all)?.low ?? 0,
  high: wilson(bad, all)?.high ?? 1,
});

describe("whether a difference is proven", () => {
  it.each([
    ["more fail", share(10, 1000), share(40, 1000), "more"],
    ["fewer fail", share(40, 1000), share(10, 1000), "less"],
    ["chance may be it", share(3, 100), share(6, 100), "same"],
    ["chance may be it the other way round", share(6, 100), share(3, 100), "same"],
    ["nobody asked for it", null, share(6, 100), "unknown"],
    // 56/70 and 48/80: the literature's interval of the difference is 0.0524 to 0.3339.
    ["as in the literature", share(48, 80), share(56, 70), "more"],
    ["the intervals meet, yet the difference is proven", share(100, 1000), share(130, 1000), "more"],
  ] as const)("%s", (_, before, after, want) => expect(failedVerdict(before, after)).toBe(want)); // prettier-ignore

  const time = (low: number, at: number, high: number): Estimate => ({ low, at, high });
  it.each([
    ["slower by what the intervals leave", time(10, 12, 14), time(28, 30, 40), "more", 2],
    ["faster", time(28, 30, 40), time(10, 12, 14), "less", 2],
    ["just slower", time(10, 12, 14), time(14, 15, 20), "more", 1],
    ["not proven", time(10, 12, 15), time(14, 15, 20), "same", null],
    ["not proven the other way round", time(14, 15, 20), time(10, 12, 15), "same", null],
    [
      "not proven where both are the end that they share",
      time(10, 41, 41),
      time(41, 41, 90),
      "same",
      null,
    ],
    ["nor the other way round", time(41, 41, 90), time(10, 41, 41), "same", null],
    ["not known", time(10, 12, 15), null, "unknown", null],
  ] as const)("%s", (_, before, after, verdict, times) =>
    expect(timeVerdict(before, after)).toEqual({ verdict, times }),
  );

  it.each([
    [null, null],
    [1, null],
    [1.09, null],
    [1.1, 1.1],
    [2.99, 2.9],
    [12.9, 12],
  ])("%s times is said as at least %s", (times, want) => expect(leastTimes(times)).toBe(want));
});
