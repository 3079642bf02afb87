import { describe, expect, it } from "vitest";
import type { Span } from "../../api/types";
import { aroundMoment } from "./address";
import { extentOf, isTraceId, parseMs, placeOf, rowsOf, summaryOf } from "./waterfall";

const span = (
  id: string,
  parent: string | null,
  offset: number,
  ms: number | null = 1,
  more: Partial<Span> = {},
): Span => ({
  span_id: id,
  parent_id: parent,
  name: id,
  service: "shop",
  host: null,
  kind: "internal",
  status: null,
  start: "2026-11-01T00:00:00Z",
  offset_us: offset,
  duration_ms: ms,
  source: "otlp",
  attrs: {},
  ...more,
});
const drawn = (spans: Span[]): string[] =>
  rowsOf(spans).map((row) => `${"-".repeat(row.depth)}${row.span.name}${row.orphan ? "?" : ""}`);

describe("a waterfall", () => {
  it.each([
    ["nothing", [], []],
    ["children in the order in which they began", [span("a", null, 0), span("c", "a", 9), span("b", "a", 3)], ["a", "-b", "-c"]], // prettier-ignore
    ["below their own parent", [span("a", null, 0), span("b", "a", 1), span("d", "a", 2), span("c", "b", 5)], ["a", "-b", "--c", "-d"]], // prettier-ignore
    ["a clock that runs late puts a child first", [span("b", "a", 0), span("a", null, 5)], ["a", "-b"]], // prettier-ignore
    ["a missing parent", [span("a", null, 0), span("b", "gone", 3), span("c", "b", 4)], ["a", "b?", "-c"]], // prettier-ignore
    ["its own parent", [span("a", "a", 0)], ["a"]],
    ["a ring", [span("a", "b", 0), span("b", "a", 1)], ["a?", "-b"]],
    ["two roots", [span("b", null, 2), span("a", null, 1)], ["a", "b"]],
  ])("%s", (_, spans, want) => {
    expect(drawn(spans)).toEqual(want);
  });

  it("takes thousands of spans, one below the other", () => {
    const deep = Array.from({ length: 5_000 }, (_, at) =>
      span(`s${at}`, at === 0 ? null : `s${at - 1}`, at),
    );
    const rows = rowsOf(deep);
    expect(rows.length).toBe(5_000);
    expect(rows[4_999]?.depth).toBe(4_999);
  });

  it("shows a span twice that arrived twice", () => {
    expect(rowsOf([span("a", null, 0), span("a", null, 0)]).length).toBe(2);
  });

  it("places bars by time", () => {
    const spans = [span("a", null, 0, 10), span("b", "a", 5_000, null), span("c", "a", 9_000, 1)];
    const extent = extentOf(spans);
    expect(extent).toEqual({ from: 0, to: 10_000 });
    expect(spans.map((each) => placeOf(each, extent))).toEqual([
      { left: 0, width: 100, late: true },
      { left: 50, width: 0, late: false },
      { left: 90, width: 10, late: true },
    ]);
    expect(extentOf([])).toEqual({ from: 0, to: 1 });
  });

  it("is summed up", () => {
    const rows = rowsOf([
      span("a", null, 0, 10),
      span("b", "gone", 5_000, 1, { status: "error", service: "db" }),
    ]);
    expect(summaryOf(rows)).toEqual({
      spans: 2,
      services: 2,
      failed: 1,
      orphans: 1,
      durationMs: 10,
    });
  });
});

it.each([
  ["250", 250],
  ["250ms", 250],
  ["1.5s", 1500],
  ["２秒", 2000],
  ["2 m", 120_000],
  ["3分", 180_000],
  ["", null],
  ["fast", null],
  ["-1", null],
])("a duration is typed as %s", (typed, want) => {
  expect(parseMs(typed)).toBe(want);
});

it("a trace id is told from words", () => {
  expect(isTraceId(" 4BF92f3577b34da6a3ce929d0e0e4736 ")).toBe(true);
  expect(isTraceId("4bf92f35")).toBe(false);
});

it("a link's moment means the hours around it", () => {
  expect(aroundMoment("2026-11-01T12:00:00Z")).toEqual({
    from: new Date("2026-11-01T11:00:00Z"),
    to: new Date("2026-11-01T13:00:00Z"),
  });
  expect(aroundMoment(null)).toBe(null);
  expect(aroundMoment("soon")).toBe(null);
});
