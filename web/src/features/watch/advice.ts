// What a rule says to do, and whether its firings were worth it so far: for a row of the inbox. Pure.

import type { JudgedRule, Proportion } from "../../api/quality";
import type { Firing, Rule } from "../../api/watch";

export interface Advice {
  /** Null: there is no such rule any more, or it could not be read; then nothing is said of what it says. */
  rule: { action: string | null; runbook: string | null } | null;
  /** In how many of the judged firings somebody had to act; null when too few were judged to say anything. */
  worth: Proportion | null;
}

/** Of fewer judged firings the interval spans most of all there is: it would say nothing, and look as if it did. */
export const FEWEST_JUDGED = 5;

export function adviceOf(
  firing: Pick<Firing, "rule" | "class">,
  rules: readonly Rule[] | null,
  judged: readonly JudgedRule[] | null,
): Advice {
  const rule = rules?.find((each) => each.name === firing.rule) ?? null;
  const worth =
    judged?.find((each) => each.rule === firing.rule && each.class === firing.class)?.record
      .precision ?? null;
  return {
    rule: rule && { action: rule.action, runbook: rule.runbook },
    worth: worth !== null && worth.all >= FEWEST_JUDGED ? worth : null,
  };
}

/** Whether somebody has yet to do something about it: an alert that is open, a ticket that is not done. */
export const needsSomebody = (firing: Pick<Firing, "class" | "state" | "progress">): boolean =>
  firing.class === "ticket" ? firing.progress !== "done" : firing.state === "open";
