import { describe, expect, it } from "vitest";
import { address, shaped } from "../api/client";
import { windowOf, windowOfHeights } from "../ui/windowed";
import { shade, spotAt } from "../features/route/heat";
import { sortRows } from "../features/service/columns";
import type { RequestRow } from "../api/types";
import { commandOf, type KeyPress } from "./keyboard";
import {
  filtersByService,
  hasOwnSearch,
  hasTimeRange,
  isOpenToAll,
  pageOf,
  safeTarget,
} from "./pages";
import { isAt, placeOf, PLACES } from "./places";
import { wilson } from "./ratio";

describe("a path", () => {
  it.each([
    ["/", { name: "home" }],
    ["/services/shop", { name: "service", service: "shop" }],
    ["/services/shop/", { name: "service", service: "shop" }],
    ["/services/shop/route", { name: "route", service: "shop" }],
    ["/services/a%20b", { name: "service", service: "a b" }],
    ["/services/%zz", { name: "service", service: "%zz" }],
    ["/welcome/s3cret", { name: "welcome", secret: "s3cret" }],
    ["/welcome", { name: "unknown" }],
    ["/explorer", { name: "explorer" }],
    ["/errors", { name: "errors" }],
    ["/errors/v1-ab", { name: "error", group: "v1-ab" }],
    ["/errors/v1-ab/x", { name: "unknown" }],
    ["/traces", { name: "traces" }],
    ["/traces/4bf9", { name: "trace", trace: "4bf9" }],
    ["/metrics", { name: "metrics" }],
    ["/logs", { name: "logs" }],
    ["/logs/x", { name: "unknown" }],
    ["/inbox", { name: "inbox" }],
    ["/firings/0196", { name: "firing", firing: "0196" }],
    ["/firings", { name: "unknown" }],
    ["/objectives", { name: "objectives" }],
    ["/objectives/shop/fast", { name: "objective", service: "shop", objective: "fast" }],
    ["/objectives/shop", { name: "unknown" }],
    ["/rules", { name: "rules" }],
    ["/actionability", { name: "actionability" }],
    ["/report", { name: "report" }],
    ["/report/2026-11", { name: "unknown" }],
    ["/channels/test/0196", { name: "channel-test", test: "0196" }],
    ["/channels/other/0196", { name: "unknown" }],
    ["/checks", { name: "checks" }],
    ["/checks/buy", { name: "check", check: "buy" }],
    ["/sources", { name: "sources" }],
    ["/settings", { name: "settings" }],
    ["/sign-in", { name: "sign-in" }],
    ["/settings/x", { name: "unknown" }],
    ["/services/shop/route/x", { name: "unknown" }],
    ["/nowhere", { name: "unknown" }],
  ])("%s is a page", (path, want) => expect(pageOf(path)).toEqual(want));

  it.each([
    [null, "/"],
    ["/explorer?q=1", "/explorer?q=1"],
    ["//evil.example", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    ["javascript:alert(1)", "/"],
    ["/sign-in?next=/x", "/"],
    ["/a\nb", "/"],
  ])("%j is a safe place to return to only within this site", (target, want) =>
    expect(safeTarget(target)).toBe(want),
  );
});

describe("the header of a page", () => {
  it.each([
    ["/explorer", { ranged: true, searches: true, filters: true }],
    ["/logs", { ranged: true, searches: true, filters: true }],
    ["/services/shop", { ranged: true, searches: false, filters: false }],
    ["/inbox", { ranged: false, searches: false, filters: true }],
    ["/settings", { ranged: false, searches: false, filters: false }],
  ])("%s has what the page reads", (path, want) => {
    const page = pageOf(path);
    expect({
      ranged: hasTimeRange(page),
      searches: hasOwnSearch(page),
      filters: filtersByService(page),
    }).toEqual(want);
  });
  it("is not shown to those who are not signed in", () =>
    expect(
      ["/sign-in", "/welcome/x", "/", "/nowhere"].map((path) => isOpenToAll(pageOf(path))),
    ).toEqual([true, true, false, false]));
});

describe("a place", () => {
  it.each([
    ["/", "/"],
    ["/errors", "/errors"],
    ["/errors/v1-ab", "/errors"],
    ["/errorsome", null],
    ["/firings/0196", "/inbox"],
    ["/rules", "/objectives"],
    ["/checks/buy", "/objectives"],
    ["/actionability", "/objectives"],
    ["/report", "/objectives"],
    ["/checksum", null],
    ["/services/shop", null],
  ])("%s belongs to the place %s", (path, want) => {
    expect(placeOf(path)?.to ?? null).toBe(want);
    expect(PLACES.filter((place) => isAt(place, path)).length).toBe(want === null ? 0 : 1);
  });
  it("is a page", () => {
    for (const place of PLACES) expect(pageOf(place.to).name, place.to).not.toBe("unknown");
  });
  it("has room in the bar of a phone beside three others", () =>
    expect(PLACES.filter((place) => place.inBar).length).toBeLessThanOrEqual(4));
});

describe("a key", () => {
  const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
    key,
    composing: false,
    modified: false,
    typing: false,
    ...more,
  });
  it.each([
    ["/ searches", press("/"), false, { do: "search" }],
    ["g waits", press("g"), false, { do: "await-letter" }],
    ["g h goes home", press("h"), true, { do: "go", to: "/" }],
    ["g e", press("e"), true, { do: "go", to: "/errors" }],
    ["g t", press("t"), true, { do: "go", to: "/traces" }],
    ["g m", press("m"), true, { do: "go", to: "/metrics" }],
    ["g l", press("l"), true, { do: "go", to: "/logs" }],
    ["g i", press("i"), true, { do: "go", to: "/inbox" }],
    ["g o", press("o"), true, { do: "go", to: "/objectives" }],
    ["a acknowledges", press("a"), false, { do: "act", key: "a" }],
    ["o is the outcome", press("o"), false, { do: "act", key: "o" }],
    ["a is a letter while typing", press("a", { typing: true }), false, null],
    ["g x", press("x"), true, { do: "go", to: "/explorer" }],
    ["g ,", press(","), true, { do: "go", to: "/settings" }],
    ["g s", press("s"), true, { do: "go", to: "/sources" }],
    ["g q", press("q"), true, { do: "go", to: "/actionability" }],
    ["g a", press("a"), true, { do: "go", to: "/report" }],
    ["g and something else", press("z"), true, null],
    ["j is the next row", press("j"), false, { do: "row", step: 1 }],
    ["k is the row before", press("k"), false, { do: "row", step: -1 }],
    ["v is the next form of the lines", press("v"), false, { do: "next-view" }],
    ["? helps", press("?"), false, { do: "help" }],
    ["h alone does nothing", press("h"), false, null],
    ["not while composing", press("j", { composing: true }), false, null],
    ["not for the input method's own key", press("Process"), false, null],
    ["not while typing", press("/", { typing: true }), false, null],
    ["not with Ctrl", press("k", { modified: true }), false, null],
  ])("%s", (_, pressed, afterG, want) => expect(commandOf(pressed, afterG)).toEqual(want));
});

describe("a ratio", () => {
  it("has an interval which holds it, and none without observations", () => {
    expect(wilson(0, 0)).toBeNull();
    for (const [bad, total] of [
      [0, 10],
      [1, 10],
      [10, 10],
      [913, 2_058_320],
    ] as const) {
      const found = wilson(bad, total);
      expect(found?.low, `${bad}/${total}`).toBeLessThanOrEqual(bad / total);
      expect(found?.high, `${bad}/${total}`).toBeGreaterThanOrEqual(bad / total);
    }
    expect(wilson(0, 10)).toEqual({ low: 0, high: expect.closeTo(0.2775, 3) });
  });
});

describe("an answer of the server", () => {
  it("is asked for with what is set, and nothing else", () => {
    expect(address("/logs", { q: "a b", service: null, limit: 200, cursor: undefined })).toBe(
      "/api/v1/logs?q=a+b&limit=200",
    );
  });
  it("is refused when what a page needs is missing", () => {
    expect(() => shaped<{ rows: string[] }>({}, ["rows"])).toThrow("missing: rows");
    expect(() => shaped<{ rows: string[] }>(null, ["rows"])).toThrow("expected a JSON object");
    expect(shaped<{ rows: string[] }>({ rows: [] }, ["rows"])).toEqual({ rows: [] });
  });
});

describe("a long list", () => {
  it.each([
    [0, 600, 10, { start: 0, end: 10, above: 0, below: 0 }],
    [2_800, 280, 1_000, { start: 92, end: 118, above: 2_576, below: 24_696 }],
    [999_999, 280, 100, { start: 100, end: 100, above: 2_800, below: 0 }],
  ])("scrolled to %s shows the rows in sight", (top, view, count, want) =>
    expect(windowOf(top, view, 28, count)).toEqual(want),
  );
});

describe("a long list of unequal rows", () => {
  const even = Array.from({ length: 1_000 }, () => 28);
  const tall = even.map((_, at) => (at === 100 ? 500 : 28));
  it.each([
    ["nothing", 0, 600, [], { start: 0, end: 0, above: 0, below: 0 }],
    ["like equal ones", 2_800, 280, even, { start: 92, end: 118, above: 2_576, below: 24_696 }],
    ["inside a tall one", 3_000, 280, tall, { start: 92, end: 109, above: 2_576, below: 24_948 }],
    ["past the end", 99_999, 280, [10, 20], { start: 0, end: 2, above: 0, below: 0 }],
  ])("shows the rows in sight: %s", (_, top, view, heights, want) =>
    expect(windowOfHeights(top, view, heights)).toEqual(want),
  );
  it("keeps the whole height, wherever it is scrolled to", () => {
    const whole = tall.reduce((sum, each) => sum + each, 0);
    for (let top = 0; top < whole; top += 777) {
      const { start, end, above, below } = windowOfHeights(top, 600, tall);
      const shown = tall.slice(start, end).reduce((sum, each) => sum + each, 0);
      expect(above + shown + below).toBe(whole);
    }
  });
});

describe("a heat map", () => {
  const heat = {
    step_s: 60,
    bounds_ms: [10, 100],
    cells: [[600, [1, 5, 9]]] as [number, number[]][],
  };
  it("is darker for more, and a single request is seen", () => {
    expect(shade(0, 1_000)).toBe(0);
    expect(shade(1, 1_000)).toBeGreaterThan(0.1);
    expect(shade(1_000, 1_000)).toBeCloseTo(1);
    expect(shade(1, 1)).toBe(1);
  });
  it("knows which cell a point is in", () => {
    expect(spotAt(heat, 0.5, 0, 600, 660)).toEqual({ at: 600, low: 0, high: 10, count: 1 });
    expect(spotAt(heat, 0.5, 0.99, 600, 660)).toEqual({ at: 600, low: 100, high: null, count: 9 });
    expect(spotAt(heat, 0.5, 0.5, 700, 760)).toBeNull();
  });
});

describe("the requests table", () => {
  it("puts the largest first and what is unknown last", () => {
    const rows = [
      { route: "a", total_ms: null, count: 3 },
      { route: "b", total_ms: 5, count: 1 },
      { route: "c", total_ms: 9, count: 2 },
    ] as RequestRow[];
    expect(sortRows(rows, "total").map((row) => row.route)).toEqual(["c", "b", "a"]);
    expect(sortRows(rows, "count").map((row) => row.route)).toEqual(["a", "c", "b"]);
  });
});
