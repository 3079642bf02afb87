import { describe, expect, it } from "vitest";
import type { JudgedRule, Proportion } from "../../api/quality";
import type { Firing, Rule } from "../../api/watch";
import { adviceOf, needsSomebody } from "./advice";

const rule = (name: string, action: string | null, runbook: string | null): Rule =>
  ({ name, action, runbook }) as Rule;
const part = (of: number, all: number): Proportion => ({
  of,
  all,
  share: of / all,
  low: 0,
  high: 1,
});
const judged = (name: string, kind: "alert" | "ticket", precision: Proportion | null): JudgedRule =>
  ({ rule: name, class: kind, record: { precision } }) as JudgedRule;

describe("what stands in a row of the inbox", () => {
  const firing = { rule: "slow", class: "alert" as const };
  it("is what its own rule says to do", () => {
    const rules = [rule("other", "wait", null), rule("slow", "roll back", "https://wiki/slow")];
    expect(adviceOf(firing, rules, []).rule).toEqual({
      action: "roll back",
      runbook: "https://wiki/slow",
    });
  });
  it("is nothing of a rule that is gone or not known, which is not a rule that says nothing", () => {
    expect(adviceOf(firing, [], []).rule).toBeNull();
    expect(adviceOf(firing, null, null)).toEqual({ rule: null, worth: null });
    expect(adviceOf(firing, [rule("slow", null, null)], null).rule).toEqual({
      action: null,
      runbook: null,
    });
  });
  it.each([
    ["enough", [judged("slow", "alert", part(4, 5))], part(4, 5)],
    ["never worth it", [judged("slow", "alert", part(0, 5))], part(0, 5)],
    ["too few", [judged("slow", "alert", part(4, 4))], null],
    ["none judged", [judged("slow", "alert", null)], null],
    ["another rule", [judged("other", "alert", part(9, 9))], null],
    [
      "the same rule while it made tickets",
      [judged("slow", "ticket", part(9, 9)), judged("slow", "alert", part(5, 8))],
      part(5, 8),
    ],
  ])("says how often it was worth it: %s", (_, rules: JudgedRule[], want: Proportion | null) =>
    expect(adviceOf(firing, [], rules).worth).toEqual(want),
  );
  it.each([
    ["an open alert", "alert", "open", null, true],
    ["an alert that is over", "alert", "resolved", null, false],
    ["a ticket whose condition is over", "ticket", "resolved", "open", true],
    ["a ticket that is worked on", "ticket", "open", "in_progress", true],
    ["a ticket that is done", "ticket", "open", "done", false],
  ])("is there for what needs somebody: %s", (_, kind, state, progress, want) =>
    expect(needsSomebody({ class: kind, state, progress } as Firing)).toBe(want),
  );
});
