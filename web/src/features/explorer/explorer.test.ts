import { describe, expect, it } from "vitest";
import type { LogRow } from "../../api/types";
import {
  applyCompletion,
  complete,
  failedOn,
  quoted,
  splitAt,
  splitTerms,
  term,
  withTerm,
} from "./filter";
import { facetFields, facetValues, toggled } from "./facets";
import { jsonOf, lineViewOf, lineViewText, LINE_VIEWS, nextLineView, restOf } from "./lines";
import { fieldsOf, knownValues, uniqueById } from "./record";

const KNOWN = {
  method: ["GET", "POST"],
  route: ["GET /items/:id", "POST /cart", "POST /checkout"],
  service: ["shop"],
  user_agent: [],
};

/** `|` is the caret. */
function offered(marked: string): string[] {
  const caret = marked.indexOf("|");
  return complete(marked.replace("|", ""), caret, KNOWN).options;
}
function taken(marked: string, option: string): string {
  const caret = marked.indexOf("|");
  const text = marked.replace("|", "");
  const next = applyCompletion(text, complete(text, caret, KNOWN), option);
  return `${next.text.slice(0, next.caret)}|${next.text.slice(next.caret)}`;
}

describe("completion", () => {
  it.each([
    ["an empty box offers fields", "|", "status>="],
    ["a beginning of a field", "ro|", "route:"],
    ["a field of the attributes", "user_|", "user_agent:"],
    ["a whole numeric field offers comparisons", "status|", "status>=500"],
    ["values that were seen", "method:|", "method:GET"],
    ["values by any part of them, quoted", "route:check|", 'route:"POST /checkout"'],
    ["inside an open quote", 'route:"POST /c|', 'route:"POST /cart"'],
    ["after a sign", "-method:P|", "method:POST"],
    ["in the middle of a filter", "status>=500 met| duration>1s", "method:"],
    ["in parentheses", "(service:s|", "service:shop"],
    ["durations with units", "duration>|", "duration>1s"],
  ])("%s", (_, marked, want) => expect(offered(marked)).toContain(want));

  it("offers nothing for an unknown word, and not what already stands there", () => {
    expect(offered("zebra|")).toEqual([]);
    expect(offered("method:GET|")).toEqual([]);
  });
  it("takes the names of what every object has for words like any other", () => {
    expect(offered("constructor|")).toEqual([]);
    expect(offered("constructor:x|")).toEqual([]);
    const seen = knownValues([row({ attrs: { constructor: "x" } })], []);
    expect(complete("constructor:", 12, seen).options).toEqual([]);
    expect(complete("const", 5, seen).options).toEqual(["constructor:"]);
  });
  it.each([
    ["ro|", "route:", "route:|"],
    ["method:P|", "method:POST", "method:POST |"],
    ["-method:P| x", "method:POST", "-method:POST| x"],
    ['a route:"POST /c|', 'route:"POST /cart"', 'a route:"POST /cart" |'],
  ])("%s takes %s", (marked, option, want) => expect(taken(marked, option)).toBe(want));
});

describe("terms", () => {
  it.each([
    ["", []],
    ["a b", ["a", "b"]],
    ['route:"POST /cart" x', ['route:"POST /cart"', "x"]],
    ["(a OR b) c", ["(a OR b)", "c"]],
    ['path:"a \\" b" c', ['path:"a \\" b"', "c"]],
  ])("%j is split", (filter, want) => expect(splitTerms(filter)).toEqual(want));

  it.each([
    ["", "method:GET", "method:GET"],
    ["method:GET", "method:GET", "method:GET"],
    ["method:GET x", "-method:GET", "x -method:GET"],
    ["-method:GET", "method:GET", "method:GET"],
  ])("%j with %j is %j", (filter, added, want) => expect(withTerm(filter, added)).toBe(want));

  it.each([
    ["a (b", 2, ["a ", "(", "b"]],
    ["注文 😀(x", 4, ["注文 😀", "(", "x"]],
    ["a (", 3, ["a (", " ", ""]],
  ])("%j is not understood at column %i", (filter, column, want) =>
    expect(splitAt(filter, column)).toEqual(want),
  );

  it("quote what needs it", () => {
    expect(quoted("GET")).toBe("GET");
    expect(quoted("GET /a")).toBe('"GET /a"');
    expect(quoted('say "hi" \\')).toBe('"say \\"hi\\" \\\\"');
    expect(term("path", "/a*b", true)).toBe('-path:"/a*b"');
  });
});

const row = (changes: Partial<LogRow>): LogRow => ({
  id: "1",
  ts: "2026-11-22T10:30:00Z",
  service: "shop",
  host: "web-1",
  method: "GET",
  route: "GET /items/:id",
  path: "/items/1",
  status: 200,
  duration_ms: 1_043.7,
  bytes: 12,
  user_key: null,
  trace_id: null,
  source: null,
  attrs: { user_agent: "x", "odd key": 1 },
  ...changes,
});

describe("a record", () => {
  it("has a filter term for each field that is known", () => {
    const fields = Object.fromEntries(
      fieldsOf(row({})).map((field) => [field.name, field.include]),
    );
    expect(fields).toMatchObject({
      service: "service:shop",
      route: 'route:"GET /items/:id"',
      status: "status:200",
      duration: "duration>=1043ms",
      user_agent: "user_agent:x",
      "odd key": null,
    });
    expect(fields).not.toHaveProperty("user");
  });
  it("is listed once, also when pages overlap", () => {
    const rows = [row({ id: "a" }), row({ id: "b" }), row({ id: "a" })];
    expect(uniqueById(rows).map(({ id }) => id)).toEqual(["a", "b"]);
  });
  it("offers its values, the commonest first", () => {
    const rows = [row({ status: 200 }), row({ status: 500 }), row({ status: 500 })];
    expect(knownValues(rows, [])["status"]).toEqual(["500", "200"]);
    expect(knownValues(rows, ["shop", "blog"])["service"]).toEqual(["shop", "blog"]);
  });
});

describe("the form of the lines", () => {
  it.each([
    [null, "compact"],
    ["", "compact"],
    ["wrap", "wrap"],
    ["json", "json"],
    ["JSON", "compact"],
  ])("%j in the URL is %s", (text, want) => expect(lineViewOf(text)).toBe(want));

  it("survives the way through the URL", () => {
    for (const view of LINE_VIEWS) expect(lineViewOf(lineViewText(view))).toBe(view);
  });
  it("goes round", () => {
    expect(LINE_VIEWS.map(nextLineView)).toEqual(["wrap", "json", "compact"]);
  });
  it("has every other field behind a wrapped line, once", () => {
    const names = restOf(row({ host: "web-9" })).map(({ name }) => name);
    expect(names).toEqual(["service", "host", "route", "bytes", "user_agent", "odd key"]);
  });
  it("leaves nothing out as JSON", () => {
    expect(JSON.parse(jsonOf(row({})))).toEqual(row({}));
  });
});

describe("facets", () => {
  it("are the common fields, then the attributes that were seen", () => {
    expect(facetFields([])).toEqual(["status", "route", "method", "service", "host", "source"]);
    const rows = [row({ attrs: { upstream: "x", "odd key": 1 } }), row({ attrs: { host: "y" } })];
    expect(facetFields(rows).slice(6)).toEqual(["upstream"]);
  });
  it("know their share of the commonest value, and whether the filter has them", () => {
    const values = [
      ["200", 40],
      ["500", 10],
    ] as const;
    expect(facetValues("status", values, "status:500 x")).toEqual([
      { value: "200", count: 40, share: 1, chosen: false },
      { value: "500", count: 10, share: 0.25, chosen: true },
    ]);
    expect(facetValues("status", [], "")).toEqual([]);
  });
  it.each([
    ["", "method", "GET", "method:GET"],
    ["x method:GET", "method", "GET", "x"],
    ["-method:GET", "method", "GET", "method:GET"],
    ["x", "route", "POST /cart", 'x route:"POST /cart"'],
    ['x route:"POST /cart" y', "route", "POST /cart", "x y"],
  ])("%j, a click on %s %s: %j", (filter, field, value, want) =>
    expect(toggled(filter, field, value)).toBe(want),
  );
});

it("what failed on a route is asked for by its quoted name", () => {
  expect(failedOn('GET /a "b"')).toBe('status>=500 route:"GET /a \\"b\\""');
});
