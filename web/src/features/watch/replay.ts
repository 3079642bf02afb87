// What the rules would have said: how the answer is counted, cut and drawn. Pure.

import type { ReplayedFiring, ReplayResult, RuleClass } from "../../api/quality";
import { stretchText, type Span } from "../../time/range";

export const CHOICES = ["1d", "7d", "30d", "page"] as const;
export type Choice = (typeof CHOICES)[number];
const DAYS: Record<Exclude<Choice, "page">, number> = { "1d": 1, "7d": 7, "30d": 30 };

export const choiceOf = (text: string | null): Choice =>
  CHOICES.find((each) => each === text) ?? "1d";

export const spanOfChoice = (choice: Choice, now: Date, page: Span): Span =>
  choice === "page" ? page : { from: new Date(now.getTime() - DAYS[choice] * 86_400_000), to: now };

export const CLASSES = ["alert", "ticket", "record"] as const;

export const countsOf = (result: ReplayResult): Record<RuleClass, number> => ({
  alert: result.alerts,
  ticket: result.tickets,
  record: result.records,
});

/** How far it came, as a share rounded down; null when it came to the end. */
export function reachedOf({ from, to, asked_to }: ReplayResult): number | null {
  const [begin, end, asked] = [from, to, asked_to].map((each) => Date.parse(each)) as [
    number,
    number,
    number,
  ];
  if (end >= asked) return null;
  return asked <= begin ? 0 : Math.max(0, (end - begin) / (asked - begin));
}

/** What weighs most in front, the latest first within a class. */
export const inOrder = (firings: readonly ReplayedFiring[]): ReplayedFiring[] =>
  [...firings].sort(
    (a, b) =>
      CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class) ||
      Date.parse(b.from) - Date.parse(a.from),
  );

export interface Stroke {
  /** Shares of the time that was asked for. */
  x: number;
  width: number;
  firing: ReplayedFiring;
}

/** Where a class's firings lie on a strip of the time that was asked for. One that went on reaches to the end of it. */
export function strokesOf(result: ReplayResult, kind: RuleClass): Stroke[] {
  const [begin, end, asked] = [result.from, result.to, result.asked_to].map((each) =>
    Date.parse(each),
  ) as [number, number, number];
  const whole = Math.max(1, Math.max(end, asked) - begin);
  return result.firings
    .filter((each) => each.class === kind)
    .map((firing) => {
      const from = Math.max(begin, Date.parse(firing.from));
      const to = Math.min(end, firing.to === null ? end : Date.parse(firing.to));
      return { x: (from - begin) / whole, width: Math.max(0, to - from) / whole, firing };
    });
}

/** The time around a firing as it stands in an address: half an hour more at each side. */
export function aroundFiring(firing: Pick<ReplayedFiring, "from" | "to">, end: string): string {
  const to = Date.parse(firing.to ?? end);
  return stretchText(Date.parse(firing.from) - 1_800_000, to + 1_800_000);
}
