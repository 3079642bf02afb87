import { describe, expect, it } from "vitest";
import type { ErrorGroup, ErrorState } from "../../api/types";
import { countOf, framesOf, groupPath, shownGroups, shownOf, trendBars } from "./groups";

const group = (state: ErrorState, kind: string): ErrorGroup => ({
  group_id: kind,
  service: "shop",
  kind,
  message: `said by ${kind}`,
  count: 1,
  users: 1,
  first_seen: "2026-11-01T00:00:00Z",
  last_seen: "2026-11-01T00:00:00Z",
  releases: [],
  trend: [],
  state,
  state_since: null,
  state_by: null,
});
const groups = [
  group("open", "A"),
  group("reopened", "B"),
  group("resolved", "C"),
  group("ignored", "注文エラー"),
];

describe("a list of groups", () => {
  it.each([
    ["open, with what came back", null, "", ["A", "B"]],
    ["resolved", "resolved", "", ["C"]],
    ["ignored", "ignored", "", ["注文エラー"]],
    ["all", "all", "", ["A", "B", "C", "注文エラー"]],
    ["a word in any case", "all", "SAID BY b", ["B"]],
    ["Japanese", "all", "注文", ["注文エラー"]],
    ["nonsense is the default", "nonsense", "", ["A", "B"]],
  ] as const)("shows %s", (_, state, words, want) => {
    expect(shownGroups(groups, shownOf(state), words).map((each) => each.kind)).toEqual(want);
  });
  it("counts each state", () => {
    expect(countOf(groups, "open")).toBe(2);
    expect(countOf(groups, "all")).toBe(4);
  });
});

describe("a trend", () => {
  it.each([
    ["nothing", [], []],
    ["zero is no bar", [0, 0], []],
    ["the highest fills it, little is seen", [100, 1], [[0, 20], [20, 2]]], // prettier-ignore
  ])("%s", (_, trend, want) => {
    expect(trendBars(trend, 40, 20, 4).map((bar) => [bar.x, bar.height])).toEqual(want);
  });
  it("joins neighbours when there is no room for all", () => {
    const bars = trendBars(Array.from({ length: 100 }, () => 1), 40, 20, 4); // prettier-ignore
    expect(bars.length).toBe(10);
    expect(bars.every((bar) => bar.height === 20)).toBe(true);
  });
});

it("frames of the application's own are known by their star", () => {
  expect(framesOf("pay (app/pay.rb:1) *\ncall (rack.rb:2)\n")).toEqual([
    { text: "pay (app/pay.rb:1)", own: true },
    { text: "call (rack.rb:2)", own: false },
  ]);
  expect(framesOf(null)).toEqual([]);
});

it("a group is found by its id, whatever that is made of", () => {
  expect(groupPath("v1-3f/a b")).toBe("/errors/v1-3f%2Fa%20b");
});
