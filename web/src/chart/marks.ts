// What stands as a thin mark on a time axis: firings above, changes below, so that a deploy and the alert behind it are
// both seen. Marks that are too near to be told apart, or to be hit by a finger, stand as one with a number. Pure.

import type { Change } from "../api/types";

/** A firing as charts know it. */
export interface FiringMark {
  kind: "alert" | "ticket";
  id: string;
  /** When it began. */
  at: string;
  /** When it ended; null while it lasts. */
  ended: string | null;
  /** Its rule. */
  title: string;
  service: string | null;
}
/** Firings before this moment were too many to be read: that none is marked there means nothing. */
export interface UnreadMark {
  kind: "unread";
  at: string;
}
export type Mark = Change | FiringMark | UnreadMark;

/** One shape each, as everywhere. */
export type Sign = "alert" | "ticket" | "change" | "unread";
export type Lane = "firings" | "changes";

export const signOf = (mark: Mark): Sign =>
  mark.kind === "alert" || mark.kind === "ticket" || mark.kind === "unread" ? mark.kind : "change";
const laneOf = (mark: Mark): Lane => (signOf(mark) === "change" ? "changes" : "firings");
/** An alert that is open: somebody must act now. */
export const isOpenAlert = (mark: Mark): boolean => mark.kind === "alert" && mark.ended === null;

/** Smallest size of what a finger can hit, and so the smallest distance of two marks of a lane, in pixels. */
export const MARK_SIZE = 24;
/** Marks of a group that are listed; the others are counted. */
export const LISTED = 12;

export interface MarkGroup {
  key: string;
  lane: Lane;
  /** The gravest of its marks. */
  sign: Sign;
  open: boolean;
  /** In the order of time. */
  marks: Mark[];
  /** Where its lines stand: its first and, if it is another place, its last mark. Pixels. */
  lines: number[];
  /** Where its handle stands: as near to its first mark as it fits. Pixels. */
  x: number;
}

const GRAVEST: readonly Sign[] = ["alert", "ticket", "change", "unread"];
const secondsOf = (mark: Mark): number => Date.parse(mark.at) / 1000;

/** The marks of the time that is drawn, in its order. */
export const within = (marks: readonly Mark[], from: number, to: number): Mark[] =>
  marks
    .filter((mark) => secondsOf(mark) >= from && secondsOf(mark) <= to)
    .sort((a, b) => secondsOf(a) - secondsOf(b));

/** The marks within the time that is drawn, in as many groups as the width has room for, from left to right. */
export function grouped(
  marks: readonly Mark[],
  from: number,
  to: number,
  width: number,
): MarkGroup[] {
  if (width <= 0 || to <= from) return [];
  const placeOf = (mark: Mark): number => ((secondsOf(mark) - from) / (to - from)) * width;
  const fit = (x: number): number =>
    Math.min(Math.max(x, MARK_SIZE / 2), Math.max(MARK_SIZE / 2, width - MARK_SIZE / 2));
  const groups: MarkGroup[] = [];
  for (const lane of ["firings", "changes"] as const) {
    let last: MarkGroup | null = null;
    for (const mark of within(marks, from, to)) {
      if (laneOf(mark) !== lane) continue;
      const x = placeOf(mark);
      if (last !== null && fit(x) - last.x < MARK_SIZE) {
        last.marks.push(mark);
        last.lines = [last.lines[0] ?? x, ...(x - (last.lines[0] ?? x) >= 1 ? [x] : [])];
        continue;
      }
      last = {
        key: `${lane} ${"id" in mark ? mark.id : mark.at}`,
        lane,
        sign: "change",
        open: false,
        marks: [mark],
        lines: [x],
        x: fit(x),
      };
      groups.push(last);
    }
  }
  for (const group of groups) {
    group.sign =
      GRAVEST.find((sign) => group.marks.some((mark) => signOf(mark) === sign)) ?? "change";
    group.open = group.marks.some(isOpenAlert);
  }
  return groups.sort((a, b) => a.x - b.x || (a.lane === "firings" ? -1 : 1));
}
