import { describe, expect, it } from "vitest";
import type { Firing, FiringList } from "../api/watch";
import { firingsSince, isOfCheck, isOfRoute, marksOf, MOST_ROWS } from "../api/firing-marks";
import type { Change } from "../api/types";
import { grouped, MARK_SIZE, signOf, within, type FiringMark, type Mark } from "./marks";

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
const fired = (
  id: string,
  at: number,
  kind: "alert" | "ticket" = "alert",
  ended: number | null = at,
): FiringMark => ({
  kind,
  id,
  at: iso(at),
  ended: ended === null ? null : iso(ended),
  title: "slow",
  service: "shop",
});
const changed = (at: number): Change => ({
  at: iso(at),
  kind: "deploy",
  title: "deploy a1b2c3",
  service: "shop",
  detail: null,
});
const idsOf = (marks: readonly Mark[]): string[] =>
  marks.map((mark) => ("id" in mark ? mark.id : signOf(mark)));

describe("marks of a chart", () => {
  it("are those of the time that is drawn, in its order, both ends included", () => {
    const marks = [fired("late", 101), fired("end", 100), fired("begin", 0), fired("early", -1)];
    expect(idsOf(within(marks, 0, 100))).toEqual(["begin", "end"]);
  });
  it("stand as one when a finger could not hit either, and apart when it can", () => {
    const near = grouped([fired("a", 100), fired("b", 123)], 0, 1_000, 1_000);
    expect(near.map(({ marks }) => idsOf(marks))).toEqual([["a", "b"]]);
    expect(near[0]).toMatchObject({ x: 100, lines: [100, 123] });
    const apart = grouped([fired("a", 100), fired("b", 124)], 0, 1_000, 1_000);
    expect(apart.map(({ x }) => x)).toEqual([100, 124]);
  });
  it("of a deploy and of the alert right behind it are two, in lanes of their own", () => {
    const groups = grouped([fired("a", 103), changed(100)], 0, 1_000, 1_000);
    expect(groups.map(({ lane, x }) => [lane, x])).toEqual([
      ["changes", 100],
      ["firings", 103],
    ]);
  });
  it("show the gravest of a group, and that somebody must act", () => {
    const [group] = grouped(
      [fired("t", 10, "ticket", null), fired("over", 11), fired("open", 12, "alert", null)],
      0,
      1_000,
      1_000,
    );
    expect(group).toMatchObject({ sign: "alert", open: true });
    const [calm] = grouped([fired("t", 10, "ticket", null), fired("over", 11)], 0, 1_000, 1_000);
    expect(calm).toMatchObject({ sign: "alert", open: false });
    expect(grouped([fired("t", 10, "ticket", null)], 0, 1_000, 1_000)[0]?.sign).toBe("ticket");
  });
  it("are never cut at an edge, nor moved over each other there; their lines stay true", () => {
    const groups = grouped(
      [fired("first", 0), fired("last", 1_000), fired("before", 980)],
      0,
      1_000,
      1_000,
    );
    expect(groups.map(({ x, lines, marks }) => [x, lines, idsOf(marks)])).toEqual([
      [12, [0], ["first"]],
      [980, [980, 1_000], ["before", "last"]],
    ]);
  });
  it("of ten thousand firings are as many as there is room for", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => fired(String(at), at));
    const groups = grouped(many, 0, 10_000, 300);
    expect(groups.length).toBeLessThanOrEqual(300 / MARK_SIZE);
    expect(groups.reduce((sum, { marks }) => sum + marks.length, 0)).toBe(10_000);
    expect(Math.max(...groups.map(({ lines }) => lines.length))).toBe(2);
    const places = groups.map(({ x }) => x);
    expect(places.every((x, at) => at === 0 || x - (places[at - 1] ?? 0) >= MARK_SIZE)).toBe(true);
  });
  it("are none where there is no width or no time", () => {
    expect(grouped([fired("a", 1)], 0, 10, -20)).toEqual([]);
    expect(grouped([fired("a", 1)], 1, 1, 100)).toEqual([]);
  });
});

const firing = (id: string, at: number, more: Partial<Firing> = {}): Firing =>
  ({
    id,
    rule: "slow",
    class: "alert",
    service: "shop",
    started_at: iso(at),
    resolved_at: null,
    labels: {},
    detects: null,
    ...more,
  }) as Firing;

describe("firings of a time", () => {
  /** A firing every minute, the newest first, as the server lists them. */
  function endless(newest: number): {
    ask: (limit: number, cursor: string | null) => Promise<FiringList>;
    limits: number[];
  } {
    const limits: number[] = [];
    const ask = (limit: number, cursor: string | null): Promise<FiringList> => {
      limits.push(limit);
      const begin = Number(cursor ?? 0);
      const firings = Array.from({ length: limit }, (_, at) =>
        firing(String(begin + at), newest - (begin + at) * 60),
      );
      return Promise.resolve({ firings, next: String(begin + limit) });
    };
    return { ask, limits };
  }
  it("are read page by page until one began before it, and no further", async () => {
    const { ask, limits } = endless(600_000);
    const { firings, unread } = await firingsSince(ask, 600_000 - 100 * 60);
    expect([limits, firings.length, unread]).toEqual([[50, 200], 250, null]);
  });
  it("are not read without end: where it stopped is said", async () => {
    const { ask, limits } = endless(600_000);
    const { firings, unread } = await firingsSince(ask, 0);
    expect([limits, firings.length]).toEqual([[50, 200, 200], MOST_ROWS]);
    expect(unread).toBe(iso(600_000 - 449 * 60));
  });
  it("end where the list ends", async () => {
    const ask = (): Promise<FiringList> => Promise.resolve({ firings: [], next: null });
    expect(await firingsSince(ask, 0)).toEqual({ firings: [], unread: null });
  });
  it("become marks, and what could not be read one at its place or at the end", () => {
    const rows = [firing("in", 50), firing("late", 101), firing("early", 9), firing("other", 60)];
    const lists = [
      { firings: rows, unread: iso(20) },
      { firings: [firing("t", 70, { class: "ticket", resolved_at: iso(80) })], unread: iso(30) },
    ];
    const marks = marksOf(lists, 10, 100, ({ id }) => id !== "other");
    expect(marks).toEqual([
      fired("in", 50, "alert", null),
      fired("t", 70, "ticket", 80),
      { kind: "unread", at: iso(30) },
    ]);
    expect(marksOf([{ firings: [], unread: iso(500) }], 10, 100, () => true)).toEqual([
      { kind: "unread", at: iso(100) },
    ]);
  });

  const limitOf = (kind: "route" | "check" | "host", name: string | null): Firing["detects"] => ({
    kind: "limit",
    signal: "latency.p95",
    of: [{ kind, name }],
    side: "above",
    limit: 1,
    written: "1ms",
    hold: null,
    window: "5m",
  });
  it.each([
    ["by its label", { labels: { route: "GET /a" } }, true],
    ["by its rule", { detects: limitOf("route", "GET /a") }, true],
    ["of the whole service", {}, true],
    ["of a host of it", { detects: limitOf("host", "web-1") }, true],
    ["of another route by its label", { labels: { route: "GET /b" } }, false],
    ["of another route by its rule", { detects: limitOf("route", "GET /b") }, false],
  ])("concern a route: %s", (_, more: Partial<Firing>, want) =>
    expect(isOfRoute("GET /a")(firing("f", 1, more))).toBe(want),
  );
  it.each([
    ["by its label", { labels: { check: "buy" } }, true],
    ["by its rule", { detects: limitOf("check", "buy") }, true],
    ["of another check", { labels: { check: "tls" } }, false],
    ["of each check, by none", { detects: limitOf("check", null) }, false],
    ["of no check", {}, false],
  ])("concern a check: %s", (_, more: Partial<Firing>, want) =>
    expect(isOfCheck("buy")(firing("f", 1, more))).toBe(want),
  );
});
