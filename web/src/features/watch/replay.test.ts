import { describe, expect, it } from "vitest";
import type { ReplayedFiring, ReplayResult, RuleClass } from "../../api/quality";
import * as replay from "./replay";
import { fileOf, isWatched, obstacleOf, unwatched } from "./starter";

const at = (minute: number): string => new Date(minute * 60_000).toISOString();
const firing = (
  rule: string,
  kind: RuleClass,
  from: number,
  to: number | null,
): ReplayedFiring => ({
  rule,
  class: kind,
  service: "shop",
  series: {},
  from: at(from),
  to: to === null ? null : at(to),
  value: null,
});
const result = (to: number, asked: number, firings: ReplayedFiring[] = []): ReplayResult => ({
  from: at(0),
  to: at(to),
  asked_to: at(asked),
  step_s: 60,
  alerts: 1,
  tickets: 2,
  records: 3,
  firings,
  more: 0,
  not_replayed: [],
});

describe("the time to replay", () => {
  const now = new Date("2026-11-26T12:00:00Z");
  const page = { from: new Date("2026-11-01T00:00:00Z"), to: new Date("2026-11-02T00:00:00Z") };
  it.each([
    ["1d", "2026-11-25T12:00:00.000Z"],
    ["7d", "2026-11-19T12:00:00.000Z"],
    ["30d", "2026-10-27T12:00:00.000Z"],
  ] as const)("is, for %s, the time since %s", (choice, from) => {
    const span = replay.spanOfChoice(choice, now, page);
    expect([span.from.toISOString(), span.to]).toEqual([from, now]);
  });
  it("is otherwise that of the page", () =>
    expect(replay.spanOfChoice("page", now, page)).toBe(page));
  it("is a day when the address says nothing that is known", () => {
    expect(replay.choiceOf("7d")).toBe("7d");
    expect(replay.choiceOf("8d")).toBe("1d");
    expect(replay.choiceOf(null)).toBe("1d");
  });
});

describe("a replay", () => {
  it.each([
    ["came to the end", 100, 100, null],
    ["came half of the way", 50, 100, 0.5],
    ["came nowhere", 0, 100, 0],
  ])("%s", (_, to, asked, want) => expect(replay.reachedOf(result(to, asked))).toBe(want));
  it("is counted by the server, not by the firings that are listed", () =>
    expect(replay.countsOf(result(1, 1))).toEqual({ alert: 1, ticket: 2, record: 3 }));
  it("lists what weighs most in front, the latest first", () => {
    const rows = replay.inOrder([
      firing("r", "record", 9, 10),
      firing("a1", "alert", 1, 2),
      firing("t", "ticket", 5, 6),
      firing("a2", "alert", 3, 4),
    ]);
    expect(rows.map((each) => each.rule).join(" ")).toBe("a2 a1 t r");
  });
  it("is drawn over the time that was asked for; what went on reaches to where it came", () => {
    const found = result(50, 100, [
      firing("a", "alert", 10, 20),
      firing("b", "alert", 40, null),
      firing("c", "record", 0, 1),
      firing("before", "alert", -10, 5),
    ]);
    const strokes = replay.strokesOf(found, "alert");
    expect(strokes.map(({ x, width }) => [x, width])).toEqual([
      [0.1, 0.1],
      [0.4, 0.1],
      [0, 0.05],
    ]);
  });
  it("leads to the half hour around a firing, to the end for one that went on", () => {
    expect(replay.aroundFiring(firing("a", "alert", 60, 90), at(500))).toBe(
      "1970-01-01T00:30:00Z..1970-01-01T02:00:00Z",
    );
    expect(replay.aroundFiring(firing("a", "alert", 60, null), at(120))).toBe(
      "1970-01-01T00:30:00Z..1970-01-01T02:30:00Z",
    );
  });
});

describe("a service that nobody watches", () => {
  const of = (service: string | null): { service: string | null } => ({ service });
  it.each([
    ["a rule is about it", [of("shop")], [], true],
    ["an objective is about it", [], [of("shop")], true],
    ["a rule is about another one", [of("blog")], [], false],
    ["a rule is about every host", [of(null)], [], false],
    ["nothing is there", [], [], false],
  ])("%s", (_, rules, objectives, want) => expect(isWatched("shop", rules, objectives)).toBe(want));
  it("is named only when it has requests, the busiest first", () => {
    const services = [
      { name: "idle", requests: 0 },
      { name: "small", requests: 1 },
      { name: "big", requests: 9 },
      { name: "shop", requests: 99 },
    ];
    const found = unwatched(services, [of("shop")], []);
    expect(found.map((each) => each.name)).toEqual(["big", "small"]);
  });
});

describe("a proposal", () => {
  it.each([
    ["can be accepted", { possible: true, file: "starter-shop.yaml" } as const, null],
    ["has no folder", { possible: false, why: "no_folder" } as const, "starter-no-folder"],
    ["is there already", { possible: false, why: "exists" } as const, "starter-exists"],
    ["is declared elsewhere", { possible: false, why: "declared" } as const, "starter-declared"],
    ["cannot, for a new reason", { possible: false, why: "other" } as const, "starter-by-hand"],
    ["comes from a server that cannot write", undefined, "starter-by-hand"],
  ])("%s", (_, accept, want) => expect(obstacleOf(accept)).toBe(want));
  it("is saved under the name that the server would give it, and never outside a folder", () => {
    expect(fileOf("shop", { possible: true, file: "a.yaml" })).toBe("a.yaml");
    expect(fileOf("../shop", undefined)).toBe("starter-..-shop.yaml");
  });
});
