import { describe, expect, it } from "vitest";
import type { CheckStatus, Place } from "../../api/watch";
import { drawnPlaces, endedAt, linesByPlace } from "./checks";

const MIDNIGHT = Date.parse("2026-11-26T00:00:00Z") / 1000;
const run = (from: string, second: number, total_ms: number | null) => ({
  from,
  total_ms,
  at: new Date((MIDNIGHT + second) * 1000).toISOString(),
});
/** `tokyo 0:100 60:- 120:110`: seconds after the first run, and milliseconds. */
const drawn = (runs: ReturnType<typeof run>[], places: string[], every = 60): string[] =>
  linesByPlace(runs, places, every).map(({ place, points }) =>
    [
      place,
      ...points.map(([at, ms]) => `${Math.round(at - MIDNIGHT)}:${ms === null ? "-" : ms}`),
    ].join(" "),
  );

describe("the runs of several places", () => {
  it.each([
    [
      "are a line each, on common steps, though each place runs at moments of its own",
      [run("a", 0, 10), run("b", 25, 20), run("a", 60, 11), run("b", 85, 21)],
      ["a 0:10 60:11", "b 0:20 60:21"],
    ],
    [
      "come in any order",
      [run("a", 60, 11), run("b", 25, 20), run("a", 0, 10)],
      ["a 0:10 60:11", "b 0:20 60:-"],
    ],
    [
      "are torn where a place sent none, or none with a time",
      [run("a", 0, 10), run("a", 120, 12), run("b", 0, 20), run("b", 60, null), run("b", 120, 22)],
      ["a 0:10 60:- 120:12", "b 0:20 60:- 120:22"],
    ],
    [
      "stay in their steps when they come a little early or late",
      [run("a", 2, 10), run("a", 59, 11), run("a", 121, 12), run("b", 0, 1)],
      ["a 0:10 60:11 120:12", "b 0:1 60:- 120:-"],
    ],
    [
      "begin where their place began",
      [run("a", 0, 10), run("a", 60, 11), run("b", 70, 20)],
      ["a 0:10 60:11", "b 0:- 60:20"],
    ],
    [
      "hide no slow run behind a fast one of the same step",
      [run("a", 0, 10), run("a", 5, 90), run("a", 10, 20), run("a", 60, 1), run("a", 65, null)],
      ["a 0:90 60:1", "b 0:- 60:-"],
    ],
    [
      "of other places count for nothing",
      [run("server", 0, 5), run("a", 30, 10)],
      ["a 30:10", "b 30:-"],
    ],
    ["are no lines before the first one", [], ["a", "b"]],
  ])("%s", (_, runs, want) => expect(drawn(runs, ["a", "b"])).toEqual(want));

  it("take no more steps than can be drawn, however long a check rested", () => {
    const [line] = linesByPlace([run("a", 0, 1), run("a", 30 * 86_400, 2)], ["a"], 1);
    expect(line?.points.length).toBe(1_001);
    expect(line?.points.at(-1)?.[1]).toBe(2);
  });
});

describe("a line", () => {
  it.each([
    ["goes on to the end", [1, 2, 3, 4], null],
    ["goes on while the latest runs may be on their way", [1, 2, null, null], null],
    ["ended when more of them are missing", [1, 2, null, null, null], 60],
    ["never began", [null, null, null, null], null],
  ] as const)("%s", (_, values, want) =>
    expect(endedAt(values.map((value, at) => [at * 60, value]))).toBe(want),
  );
});

describe("the places that are drawn", () => {
  const place = (from: string, status: CheckStatus): Place => ({ from, status }) as Place;
  const names = ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];
  it("are all, in their order, while they can be told apart", () =>
    expect(
      drawnPlaces({ from: names.slice(0, 7), places: [place("p7", "failed")] }).join(" "),
    ).toBe("p1 p2 p3 p4 p5 p6 p7"));
  it("are those that stand worst when there are too many", () => {
    const status = (name: string): CheckStatus =>
      name === "p9" ? "failed" : name === "p8" ? "unknown" : "ok";
    const places = names.map((name) => place(name, status(name)));
    expect(drawnPlaces({ from: names, places }).join(" ")).toBe("p9 p8 p1 p2 p3 p4 p5");
  });
});
