// The firings that began in a stretch of time, out of lists that begin with the newest and know no time. Bounded: what is
// too much to be read is said to be missing.

import type { FiringMark, UnreadMark } from "../chart/marks";
import { readFirings, type Firing, type FiringList } from "./watch";

/** Most of the time all there is; then larger steps, and not more than these rows of one list. */
const FIRST_ROWS = 50;
const NEXT_ROWS = 200;
export const MOST_ROWS = 450;
/** Rules of an objective whose firings are read. */
const MOST_RULES = 5;

export type Scope = { service: string | null } | { rules: readonly string[] };
type Ask = (limit: number, cursor: string | null) => Promise<FiringList>;

/** One list back to a moment; `unread` is where it had to stop before. */
export async function firingsSince(
  ask: Ask,
  from: number,
): Promise<{ firings: Firing[]; unread: string | null }> {
  const firings: Firing[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page = await ask(cursor === null ? FIRST_ROWS : NEXT_ROWS, cursor);
    firings.push(...page.firings);
    cursor = page.next;
    const last = page.firings.at(-1);
    if (cursor === null || !last || Date.parse(last.started_at) / 1000 < from)
      return { firings, unread: null };
    if (firings.length >= MOST_ROWS) return { firings, unread: last.started_at };
  }
}

export const markOf = (firing: Firing): FiringMark => ({
  kind: firing.class,
  id: firing.id,
  at: firing.started_at,
  ended: firing.resolved_at,
  title: firing.rule,
  service: firing.service,
});

/** The alerts and tickets that began from a moment on, as marks of a time that ends at `to`. */
export async function readFiringMarks(
  scope: Scope,
  from: number,
  to: number,
  keep: (firing: Firing) => boolean,
  signal: AbortSignal,
): Promise<(FiringMark | UnreadMark)[]> {
  const questions =
    "rules" in scope
      ? scope.rules
          .slice(0, MOST_RULES)
          .map((rule) => ({ class: "alert" as const, state: null, service: null, rule }))
      : (["alert", "ticket"] as const).map((kind) => ({
          class: kind,
          state: null,
          service: scope.service,
          rule: null,
        }));
  const lists = await Promise.all(
    questions.map((question) =>
      firingsSince((limit, cursor) => readFirings(question, limit, cursor, signal), from),
    ),
  );
  return marksOf(lists, from, to, keep);
}

/** Those that began within the time; and where the latest list had to stop, at most at the end of the time. */
export function marksOf(
  lists: readonly { firings: Firing[]; unread: string | null }[],
  from: number,
  to: number,
  keep: (firing: Firing) => boolean,
): (FiringMark | UnreadMark)[] {
  const began = ({ started_at }: Firing): number => Date.parse(started_at) / 1000;
  const marks: (FiringMark | UnreadMark)[] = lists.flatMap(({ firings }) =>
    firings.filter((each) => began(each) >= from && began(each) <= to && keep(each)).map(markOf),
  );
  const unread = lists.flatMap((each) => (each.unread === null ? [] : [Date.parse(each.unread)]));
  if (unread.length > 0)
    marks.push({
      kind: "unread",
      at: new Date(Math.min(Math.max(...unread), to * 1000)).toISOString(),
    });
  return marks;
}

/** Of a service's firings those that a route has to do with: all but those of other routes. */
export const isOfRoute =
  (route: string) =>
  ({ labels, detects }: Pick<Firing, "labels" | "detects">): boolean => {
    const named = partOf(detects, "route");
    const one = labels["route"] ?? named;
    return one === null || one === route;
  };

/** Whether a firing is about a check. */
export const isOfCheck =
  (check: string) =>
  ({ labels, detects }: Pick<Firing, "labels" | "detects">): boolean =>
    (labels["check"] ?? partOf(detects, "check")) === check;

function partOf(detects: Firing["detects"], kind: "route" | "check"): string | null {
  if (detects === null || detects.kind === "burn") return null;
  return detects.of.find((part) => part.kind === kind)?.name ?? null;
}
