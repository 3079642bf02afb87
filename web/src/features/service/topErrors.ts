// Which groups of errors a service's page shows, and which of them are new. Pure.

import type { ErrorGroup, ErrorList } from "../../api/types";
import { belongs } from "../errors/groups";

/** What was not seen for so long before the time that is shown is new. */
export const NEW_DAYS = 7;
const DAY_MS = 86_400_000;
/** The time before moves in steps, so that it is not asked for anew whenever the clock moves. */
const STEP_MS = 600_000;

/** The days in which a group must not have been seen to be new, up to the time that is shown. */
export function daysBefore(from: Date): { from: Date; to: Date } {
  const to = Math.floor(from.getTime() / STEP_MS) * STEP_MS;
  return { from: new Date(to - NEW_DAYS * DAY_MS), to: new Date(to) };
}

/** The groups of the days before; null when not all of them are listed, for then nothing can be said to be new. */
export function knownGroups(before: ErrorList): ReadonlySet<string> | null {
  if (before.group_count > before.groups.length || before.partial !== null) return null;
  return new Set(before.groups.map((group) => group.group_id));
}

export interface Top {
  rows: { group: ErrorGroup; isNew: boolean }[];
  /** Open groups that are new; null when that is not known. */
  fresh: number | null;
  /** Groups that were resolved and seen again. */
  back: number;
}

/** How many groups of each reason are shown. */
const EACH = 3;

/**
 * The open groups that are worth a look: those that came back, those that are new, and those that most people saw, or that
 * came most often where nobody is named. A group that was resolved once is never new.
 */
export function topGroups(
  groups: readonly ErrorGroup[],
  known: ReadonlySet<string> | null,
  each = EACH,
): Top {
  const open = groups
    .filter((group) => belongs(group.state, "open"))
    .sort((a, b) => b.users - a.users || b.count - a.count);
  const back = open.filter((group) => group.state === "reopened");
  const isNew = (group: ErrorGroup): boolean =>
    known !== null && group.state !== "reopened" && !known.has(group.group_id);
  const fresh = open.filter(isNew);
  const chosen = new Set([back, fresh, open].flatMap((list) => list.slice(0, each)));
  return {
    rows: [...chosen].map((group) => ({ group, isNew: isNew(group) })),
    fresh: known === null ? null : fresh.length,
    back: back.length,
  };
}
