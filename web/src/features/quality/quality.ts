// What the record of a rule says, in which order rules are looked at, and how a change of the configuration is read. Pure.

import type { JudgedRule, PersonWeek, Proportion } from "../../api/quality";
import { OUTCOMES, type Outcome } from "../../api/watch";
import { wilson } from "../../app/ratio";

export const DAYS = [7, 30, 90] as const;
export type Days = (typeof DAYS)[number];
/** What the address asks for; 30 days, as everywhere else, when it says nothing that is known. */
export const daysOf = (text: string | null): Days =>
  DAYS.find((each) => String(each) === text) ?? 30;

export const SORTS = ["first", "noise", "firings", "precision", "off_hours"] as const;
export type Sort = (typeof SORTS)[number];
export const sortOf = (text: string | null): Sort => SORTS.find((each) => each === text) ?? "first";

/** A larger number comes first. A rule that nobody has judged comes behind those of which something is known. */
const KEYS: Record<Exclude<Sort, "first">, (rule: JudgedRule) => number> = {
  noise: ({ record }) => record.noise_minutes,
  firings: ({ record }) => record.firings,
  precision: ({ record }) => (record.precision === null ? -2 : -record.precision.share),
  off_hours: ({ record }) => record.off_hours,
};

/** First those that should be tickets; then, as everywhere, by what people lose: noise, then firings. */
export function sorted(rules: readonly JudgedRule[], by: Sort): JudgedRule[] {
  const key = by === "first" ? KEYS.noise : KEYS[by];
  return [...rules].sort(
    (a, b) =>
      (by === "first" ? Number(b.demote) - Number(a.demote) : 0) ||
      key(b) - key(a) ||
      b.record.firings - a.record.firings ||
      a.rule.localeCompare(b.rule),
  );
}

/** All alerts together: in how many of those that were judged somebody had to act. Null while nobody has judged one. */
export function together(rules: readonly JudgedRule[]): Proportion | null {
  let [of, all] = [0, 0];
  for (const { class: kind, record } of rules) {
    if (kind !== "alert" || record.precision === null) continue;
    of += record.precision.of;
    all += record.precision.all;
  }
  const bounds = wilson(of, all);
  return bounds === null ? null : { of, all, share: of / all, ...bounds };
}

export const countOf = (rules: readonly JudgedRule[], kind: "alert" | "ticket"): number =>
  rules.filter((each) => each.class === kind).reduce((sum, each) => sum + each.record.firings, 0);

/** Outcomes that were said at least once, in their own order. */
export const said = (outcomes: Readonly<Partial<Record<Outcome, number>>>): [Outcome, number][] =>
  OUTCOMES.flatMap((each): [Outcome, number][] => {
    const n = outcomes[each] ?? 0;
    return n > 0 ? [[each, n]] : [];
  });

/** The latest week first; in it those over their budget, then who was paged most. */
export const latestFirst = (people: readonly PersonWeek[]): PersonWeek[] =>
  [...people].sort(
    (a, b) =>
      b.week.localeCompare(a.week) ||
      Number(b.over_budget) - Number(a.over_budget) ||
      b.pages - a.pages ||
      a.person.localeCompare(b.person),
  );

export type LineKind = "file" | "place" | "added" | "removed" | "same";
export interface DiffLine {
  kind: LineKind;
  text: string;
}

/** A change in the form of `diff -u`, line by line. Inside a hunk `---` is a removed line that begins with two dashes. */
export function diffLines(diff: string): DiffLine[] {
  const lines = diff.replace(/\r?\n$/, "").split(/\r?\n/);
  let [before, after] = [0, 0];
  return lines.map((text): DiffLine => {
    if (before > 0 || after > 0) {
      const kind = text.startsWith("+") ? "added" : text.startsWith("-") ? "removed" : "same";
      if (text.startsWith("\\")) return { kind: "same", text };
      if (kind !== "added") before -= 1;
      if (kind !== "removed") after -= 1;
      return { kind, text };
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(text);
    if (hunk) {
      [before, after] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
      return { kind: "place", text };
    }
    return { kind: text === "" || text.startsWith("\\") ? "same" : "file", text };
  });
}
