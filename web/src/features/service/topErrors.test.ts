import { describe, expect, it } from "vitest";
import type { ErrorGroup, ErrorList, ErrorState } from "../../api/types";
import { daysBefore, knownGroups, topGroups } from "./topErrors";

const group = (group_id: string, users: number, count: number, state: ErrorState = "open") =>
  ({ group_id, users, count, state }) as ErrorGroup;
const list = (groups: ErrorGroup[], more: Partial<ErrorList> = {}): ErrorList =>
  ({ groups, group_count: groups.length, partial: null, ...more }) as ErrorList;
const shown = (groups: ErrorGroup[], known: string[] | null, each = 2): string =>
  topGroups(groups, known && new Set(known), each)
    .rows.map(({ group, isNew }) => group.group_id + (isNew ? "*" : ""))
    .join(" ");

const many = [
  group("wide", 90, 100),
  group("loud", 5, 900),
  group("quiet", 1, 1),
  group("fresh", 2, 2),
  group("back", 3, 3, "reopened"),
  group("done", 99, 99, "resolved"),
  group("noise", 98, 98, "ignored"),
];
const KNOWN = ["wide", "loud", "quiet"];

describe("the errors of a service that are shown", () => {
  it.each([
    ["came back, then new, then most people", many, KNOWN, "back fresh* wide loud"],
    ["each once, whatever speaks for it", [group("a", 9, 9, "reopened")], [], "a"],
    ["none of them new when that is not known", many, null, "back wide loud"],
    ["most often where nobody is named", [group("a", 0, 1), group("b", 0, 7)], ["a", "b"], "b a"],
    ["nothing that somebody resolved or ignores", many.slice(5), [], ""],
    ["no more of a reason than fit", [1, 2, 3, 4].map((n) => group(`g${n}`, n, n)), [], "g4* g3*"],
  ] as const)("are %s", (_, groups, known, want) => {
    expect(shown([...groups], known && [...known])).toBe(want);
  });
  it("are counted also where they are not listed", () => {
    const groups = [1, 2, 3, 4].map((n) => group(`g${n}`, n, n));
    expect(topGroups([...groups, ...many], new Set(KNOWN), 1)).toMatchObject({ fresh: 5, back: 1 });
    expect(topGroups(many, null)).toMatchObject({ fresh: null, back: 1 });
  });
});

describe("what was there before", () => {
  it("is known when all of it is listed", () =>
    expect([...(knownGroups(list([group("a", 1, 1)])) ?? [])]).toEqual(["a"]));
  it.each([
    ["some groups are not listed", { group_count: 501 }],
    ["a file is damaged", { partial: "1 file" }],
  ])("is not known when %s", (_, more) =>
    expect(knownGroups(list([group("a", 1, 1)], more))).toBeNull(),
  );
  it("is asked for the same while the clock moves a little", () => {
    const [first, second] = ["2026-11-26T10:01:00Z", "2026-11-26T10:09:50Z"].map((at) =>
      daysBefore(new Date(at)),
    );
    expect(first).toEqual(second);
    expect(first?.to.toISOString()).toBe("2026-11-26T10:00:00.000Z");
    expect(first?.from.toISOString()).toBe("2026-11-19T10:00:00.000Z");
  });
});
