import { describe, expect, it } from "vitest";
import { heardSince, MOST_GAPS, ROWS_OF_A_BATCH, secondsAround, withGap, type Gap } from "./gaps";

const gap = (from: number, to: number, more: Partial<Gap> = {}): Gap => ({
  why: "left_out",
  from,
  to,
  n: null,
  ...more,
});

describe("gaps of a live tail", () => {
  it("are one while they follow each other closely, and two when they do not", () => {
    expect(withGap([gap(0, 5_000)], gap(15_000, 16_000))).toEqual([gap(0, 16_000)]);
    expect(withGap([gap(0, 5_000)], gap(15_001, 16_000))).toHaveLength(2);
  });
  it("of different reasons are never one", () => {
    const two = withGap([gap(0, 5_000)], gap(4_000, 6_000, { why: "lost" }));
    expect(two.map(({ why }) => why)).toEqual(["left_out", "lost"]);
  });
  it("are counted only where all of them are", () => {
    const kept = { why: "not_kept" as const, n: 1 };
    expect(withGap([gap(0, 0, kept)], gap(1, 1, kept))[0]?.n).toBe(2);
    expect(withGap([gap(0, 0, kept)], gap(1, 1, { ...kept, n: null }))[0]?.n).toBeNull();
  });
  it("grow together from the oldest on when there are very many; none is forgotten", () => {
    let gaps: Gap[] = [];
    for (let at = 0; at < 100; at += 1)
      gaps = withGap(gaps, gap(at * 60_000, at * 60_000 + 1_000, { why: "lost" }));
    expect(gaps).toHaveLength(MOST_GAPS);
    expect(gaps[0]).toEqual(gap(0, 80 * 60_000 + 1_000, { why: "lost" }));
    expect(gaps.at(-1)?.to).toBe(99 * 60_000 + 1_000);
  });
  it("that grow together keep a reason that needs no number, if they have none for both", () => {
    let gaps = [gap(0, 0, { why: "lost" }), gap(1, 1, { why: "not_kept", n: 5 })];
    while (gaps.length < MOST_GAPS) gaps = withGap(gaps, gap(gaps.length * 60_000, 0));
    expect(withGap(gaps, gap(9e9, 9e9))[0]).toEqual(gap(0, 1, { why: "lost" }));
    gaps = [gaps[1] ?? gap(0, 0), gaps[0] ?? gap(0, 0), ...gaps.slice(2)];
    expect(withGap(gaps, gap(9e9, 9e9))[0]).toEqual(gap(0, 1, { why: "lost" }));
  });
  it("lie within whole seconds that can be searched", () => {
    expect(secondsAround(gap(1_999, 3_001))).toEqual([1_000, 4_000]);
    expect(secondsAround(gap(2_000, 2_000))).toEqual([2_000, 3_000]);
  });
});

describe("what is surely not missing", () => {
  const T = 1_000_000_000;
  it("is what came before the last row, or the connection if there was none", () => {
    const heard = heardSince(T);
    expect(heard.lastSure()).toBe(T);
    heard.row(T + 5_000, T + 4_000);
    expect(heard.lastSure()).toBe(T + 4_000);
  });
  it.each([
    ["tells of the future", T + 90_000, T],
    ["comes an hour late", T - 3_600_000, T - 60_000],
    ["says no time", Number.NaN, T],
  ])("does not depend on a row that %s", (_, ts, want) => {
    const heard = heardSince(T - 100_000);
    heard.row(T, ts);
    expect(heard.lastSure()).toBe(want);
  });
  it("ends before a batch of which only the end was sent", () => {
    const heard = heardSince(T);
    heard.row(T + 1_000, T + 900);
    for (let n = 0; n < ROWS_OF_A_BATCH; n += 1) heard.row(T + 60_000, T + 59_000 + n);
    expect(heard.sureBeforeBatch(T + 60_100)).toBe(T + 900);
  });
  it("ends with the connection when the batch was the first that came", () => {
    const heard = heardSince(T);
    for (let n = 0; n < ROWS_OF_A_BATCH; n += 1) heard.row(T + 60_000, T + 59_000 + n);
    expect(heard.sureBeforeBatch(T + 60_100)).toBe(T);
  });
  it("ends with the last row when whole batches were left out", () => {
    const few = heardSince(T);
    few.row(T + 1_000, T + 900);
    expect(few.sureBeforeBatch(T + 60_000)).toBe(T + 900);
    const slow = heardSince(T);
    for (let n = 0; n < ROWS_OF_A_BATCH; n += 1) slow.row(T + n * 1_000, T + n * 1_000);
    expect(slow.sureBeforeBatch(T + 200_000)).toBe(T + 199_000);
  });
  it("is known after any number of rows, of which few are held", () => {
    const heard = heardSince(T);
    for (let n = 0; n < 2_000; n += 1) {
      heard.row(T + n, T + n);
      if (n >= ROWS_OF_A_BATCH)
        expect(heard.sureBeforeBatch(T + n), String(n)).toBe(T + n - ROWS_OF_A_BATCH);
    }
  });
});
