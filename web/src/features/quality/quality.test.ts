import { describe, expect, it } from "vitest";
import type { JudgedRule, PersonWeek, Proportion } from "../../api/quality";
import * as quality from "./quality";

const outcomes = { acted: 0, healed: 0, resolved_by_itself: 0, duplicate: 0, no_action_needed: 0 };
const part = (of: number, all: number): Proportion => ({
  of,
  all,
  share: of / all,
  low: 0,
  high: 1,
});
const rule = (
  name: string,
  more: Partial<JudgedRule["record"]> = {},
  rest: Partial<JudgedRule> = {},
): JudgedRule => ({
  rule: name,
  class: "alert",
  configured: true,
  demote: false,
  record: {
    firings: 1,
    told: 1,
    outcomes,
    undecided: 0,
    precision: null,
    median_acknowledge_s: null,
    flaps: 0,
    off_hours: 0,
    noise_minutes: 0,
    ...more,
  },
  ...rest,
});
const names = (rules: JudgedRule[]): string => rules.map((each) => each.rule).join(" ");

describe("what the address asks for", () => {
  it.each([
    ["7", 7],
    ["30", 30],
    ["90", 90],
    ["8", 30],
    [null, 30],
  ])("%j are %s days", (text, want) => expect(quality.daysOf(text)).toBe(want));
  it.each([
    ["noise", "noise"],
    ["nothing", "first"],
    [null, "first"],
  ])("%j orders by %s", (text, want) => expect(quality.sortOf(text)).toBe(want));
});

describe("the rules", () => {
  const rules = [
    rule("calm"),
    rule("noisy", { noise_minutes: 90, firings: 3, precision: part(2, 4) }),
    rule("wolf", { noise_minutes: 40, firings: 9, precision: part(1, 10) }, { demote: true }),
    rule("good", { firings: 9, precision: part(8, 9), off_hours: 2 }),
  ];
  it.each([
    ["first", "wolf noisy good calm"],
    ["noise", "noisy wolf good calm"],
    ["firings", "good wolf noisy calm"],
    ["precision", "wolf noisy good calm"],
    ["off_hours", "good wolf noisy calm"],
  ] as const)("by %s: %s", (by, want) => expect(names(quality.sorted(rules, by))).toBe(want));
  it("are judged together by the alerts that somebody judged", () => {
    const ticket = rule("ticket", { precision: part(5, 5) }, { class: "ticket" });
    const all = quality.together([...rules, ticket]);
    expect(all).toMatchObject({ of: 11, all: 23 });
    expect(all?.low).toBeLessThan(11 / 23);
    expect(all?.high).toBeGreaterThan(11 / 23);
    expect(quality.together([rule("unjudged"), ticket])).toBeNull();
  });
  it("are counted by their class", () => {
    const ticket = rule("ticket", { firings: 5 }, { class: "ticket" });
    expect(quality.countOf([...rules, ticket], "alert")).toBe(22);
    expect(quality.countOf([...rules, ticket], "ticket")).toBe(5);
  });
  it("name the outcomes that were said, and no others", () => {
    expect(quality.said({ ...outcomes, no_action_needed: 9, acted: 1 })).toEqual([
      ["acted", 1],
      ["no_action_needed", 9],
    ]);
    expect(quality.said({})).toEqual([]);
  });
});

describe("people's weeks", () => {
  const week = (person: string, at: string, pages: number, over = false): PersonWeek => ({
    person,
    week: at,
    pages,
    off_hours: 0,
    over_budget: over,
  });
  it("come with the latest in front, and in it those over their budget", () => {
    const rows = quality.latestFirst([
      week("ann", "2026-11-16", 9, true),
      week("bob", "2026-11-23", 2),
      week("cat", "2026-11-23", 1, true),
      week("dan", "2026-11-23", 2),
    ]);
    expect(rows.map((each) => each.person).join(" ")).toBe("cat bob dan ann");
  });
});

describe("a change of the configuration", () => {
  const kinds = (diff: string): string =>
    quality
      .diffLines(diff)
      .map((line) => line.kind[0])
      .join("");
  it("is read line by line", () => {
    expect(
      kinds(
        "--- a/koshu.yaml\n+++ b/koshu.yaml\n@@ -3,2 +3,3 @@\n rules:\n-    class: alert\n+    class: ticket\n+    due: 3d\n",
      ),
    ).toBe("ffpsraa");
  });
  it("may remove a line of dashes and add one of pluses", () =>
    expect(kinds("--- a\n+++ b\n@@ -1,2 +1 @@\n--- a: 1\n-b: 2\n+++ c: 3\n")).toBe("ffprra"));
  it("keeps what it has no name for", () => {
    expect(
      kinds("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file"),
    ).toBe("prsas");
    expect(quality.diffLines("+a").map((line) => line.text)).toEqual(["+a"]);
  });
});
