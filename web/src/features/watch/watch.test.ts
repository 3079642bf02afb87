import { describe, expect, it } from "vitest";
import type { CheckStatus, CheckStep, Firing, Objective, ObjectiveStep } from "../../api/watch";
import { isOfAgents, partOf, phasesOf, stretches } from "./checks";
import * as firings from "./firings";
import * as objectives from "./objectives";
import { matchersOf, untilOf } from "./quiet";
import { around, drawnOf, unitOf } from "./signal";

const firing = (id: string, more: Partial<Firing> = {}): Firing => ({
  id,
  rule: "slow",
  class: "alert",
  service: "shop",
  condition: "latency.p95 above 800ms",
  detects: null,
  state: "open",
  started_at: "2026-11-01T00:00:00Z",
  changed_at: "2026-11-01T00:00:00Z",
  resolved_at: null,
  times: 1,
  value: 900,
  threshold: 800,
  told: true,
  quiet_reason: null,
  escalation_level: 0,
  escalate_at: null,
  acknowledged_at: null,
  acknowledged_by: null,
  owner: null,
  due_at: null,
  progress: null,
  done_at: null,
  done_by: null,
  notes: 0,
  outcome: null,
  outcome_why: null,
  outcome_by: null,
  outcome_at: null,
  labels: {},
  overdue: false,
  ...more,
});
const ids = (rows: Firing[]): string => rows.map((each) => each.id).join("");
const many = (text: string): Firing[] => [...text].map((id) => firing(id));

describe("a list that is read anew", () => {
  it.each([
    ["nothing changed", "abc", "abc", "d", "abc"],
    ["one came in front, and the last read before stays", "abc", "nab", "d", "nabc"],
    ["rows behind those that were read stay", "abcdef", "abc", "x", "abcdef"],
    ["what has ended is gone, what is behind stays", "abcdef", "acd", "x", "acdef"],
    ["there is no more: what is missing is gone", "abcdef", "acd", null, "acd"],
    ["so many came that nothing is known any more", "abc", "xyz", "q", "xyz"],
    ["all ended", "abc", "", null, ""],
  ])("%s", (_, before, fresh, next, want) =>
    expect(ids(firings.refreshed(many(before), { firings: many(fresh), next }))).toBe(want),
  );
  it("has no row twice when pages overlap", () =>
    expect(ids(firings.appended(many("abc"), many("cde")))).toBe("abcde"));
});

describe("what belongs to a list", () => {
  const all = { service: null, rule: null };
  const ticket = firing("t", { class: "ticket", progress: "open" });
  it.each([
    ["an alert among alerts", firing("a"), "alerts", "all", all, true],
    ["a ticket is no alert", ticket, "alerts", "all", all, false],
    ["another rule", firing("a"), "alerts", "all", { service: null, rule: "x" }, false],
    [
      "the rule, of another service",
      firing("a"),
      "alerts",
      "all",
      { service: "blog", rule: "slow" },
      false,
    ],
    ["a ticket that nobody has begun", ticket, "tickets", "todo", all, true],
    ["which is not overdue", ticket, "tickets", "overdue", all, false],
    ["and not done", ticket, "tickets", "done", all, false],
    [
      "a done one is nothing to do",
      { ...ticket, progress: "done" as const },
      "tickets",
      "todo",
      all,
      false,
    ],
  ] as const)("%s", (_, row, tab, shown, by, want) =>
    expect(firings.belongs(row, tab, shown, by)).toBe(want),
  );
  it("takes a state only from its own tab", () => {
    expect(firings.shownOf("alerts", "overdue")).toBe("all");
    expect(firings.shownOf("tickets", "overdue")).toBe("overdue");
    expect(firings.tabOf("other")).toBe("alerts");
  });
});

describe("why nobody was told", () => {
  it.each([
    [null, null],
    [
      '{"why":"silenced","reason":"deploy","by":"ann","until":"2026-11-01T00:00:00Z"}',
      { why: "silenced", reason: "deploy", by: "ann", until: "2026-11-01T00:00:00Z" },
    ],
    ['{"why":"no_channel"}', { why: "no_channel", reason: "", by: "", until: null }],
    ["not JSON", { why: "other", reason: "not JSON", by: "", until: null }],
    ['{"why":"new"}', { why: "other", reason: '{"why":"new"}', by: "", until: null }],
    ["3", { why: "other", reason: "3", by: "", until: null }],
  ])("%j", (text, want) => expect(firings.quietOf(text)).toEqual(want));
});

describe("a link", () => {
  it.each([
    ["https://example.com/a b", "https://example.com/a%20b"],
    ["http://example.com", "http://example.com/"],
    ["javascript:alert(1)", null],
    ["data:text/html,x", null],
    ["shop-errors", null],
  ])("%s is opened only as a page", (text, want) => expect(firings.safeUrl(text)).toBe(want));
  it.each([
    ["example/shop#12", "https://github.com/example/shop/issues/12"],
    ["example/shop", null],
    ["../x/shop#1", null],
  ])("%s is an issue", (text, want) => expect(firings.issueUrl(text)).toBe(want));
  it("has a head and a rest", () => {
    expect(firings.headAndRest("acted: rolled back: twice")).toEqual([
      "acted",
      "rolled back: twice",
    ]);
    expect(firings.headAndRest(null)).toEqual(["", ""]);
  });
});

describe("an objective", () => {
  it.each([
    ["800ms", 0.8],
    ["5m", 300],
    ["30d", 2_592_000],
    ["4w", 2_419_200],
    ["90000000us", 90],
    ["month", null],
    ["", null],
  ])("%s is a span", (text, want) => expect(objectives.spanSeconds(text)).toBe(want));

  const at = (left: number | null, burn_1h: number | null, burn_6h: number | null) => ({
    left,
    burn_1h,
    burn_6h,
  });
  it.each([
    ["nothing was seen", at(null, null, null), "unknown"],
    ["gone", at(0, 0, 0), "spent"],
    ["overspent", at(-0.2, 0, 0), "spent"],
    ["too fast in both windows", at(0.5, 2, 1.1), "burning"],
    ["a short moment", at(0.5, 20, 0.9), "fine"],
    ["all well", at(1, 0, 0), "fine"],
  ])("%s", (_, standing, want) => expect(objectives.healthOf(standing)).toBe(want));
  it("comes the worse, the further in front", () => {
    const [well, spent, unknown, low] = [
      at(0.9, 0, 0),
      at(-1, 0, 0),
      at(null, null, null),
      at(0.2, 0, 0),
    ];
    expect(objectives.worstFirst([well, spent, unknown, low])).toEqual([spent, unknown, low, well]);
  });

  const step = (minute: number, seen: number, left: number | null = 1): ObjectiveStep => ({
    at: new Date(minute * 60_000).toISOString(),
    tally: { good: 0, valid: 0, unknown: 0 },
    minutes: 5,
    seen,
    left,
  });
  it("has a gap where nothing was seen, never a level line", () =>
    expect(
      objectives.leftPoints([step(0, 5), step(5, 0, 0.9), step(10, 1, 0.8)], 300, 660),
    ).toEqual([
      [300, 1],
      [600, null],
      [660, 0.8],
    ]));
  const within = (from: number, to: number): { from: Date; to: Date } => ({
    from: new Date(from * 60_000),
    to: new Date(to * 60_000),
  });
  it("names the times of which something was not seen, the longest first", () => {
    const steps = [step(0, 4), step(5, 5), step(10, 0), step(15, 2), step(20, 5)];
    expect(objectives.beganIn(steps)).toBeNull();
    expect(objectives.unseen(steps, 300, within(0, 25))).toEqual([
      { from: new Date(600_000), to: new Date(1_200_000), minutes: 8 },
      { from: new Date(0), to: new Date(300_000), minutes: 1 },
    ]);
  });
  it("misses nothing before the watch began, nor outside of the time that is asked for", () => {
    const began = [step(0, 0), step(5, 0), step(10, 2), step(15, 5), step(20, 3)];
    expect(objectives.beganIn(began)).toBe(began[2]);
    expect(objectives.unseen(began, 300, within(2, 23))).toEqual([]);
    expect(objectives.unseen(began, 300, within(2, 24))).toEqual([
      { from: new Date(1_200_000), to: new Date(1_440_000), minutes: 1 },
    ]);
  });
  it("has one gap from end to end when nothing was ever seen", () => {
    const never = [step(0, 0), step(5, 0)];
    expect(objectives.beganIn(never)).toBeNull();
    expect(objectives.unseen(never, 300, within(3, 8))).toEqual([
      { from: new Date(180_000), to: new Date(480_000), minutes: 5 },
    ]);
  });
  it("judges its own route, or all of its service; one of a check judges none", () => {
    const known = [
      { service: "shop", name: "available", route: null, good: "status < 500" },
      { service: "shop", name: "cart", route: "POST /cart", good: "status < 500" },
      { service: "shop", name: "outside", route: null, good: null },
      { service: "blog", name: "blog", route: null, good: "status < 500" },
    ] as Objective[];
    expect(objectives.judging(known, "shop", "POST /cart")).toEqual(["available", "cart"]);
    expect(objectives.judging(known, "shop", "GET /")).toEqual(["available"]);
  });
  it("was seen for a share of the time", () => {
    expect(objectives.coverage({ minutes: 10, seen: 4 })).toBe(0.4);
    expect(objectives.coverage({ minutes: 0, seen: 0 })).toBeNull();
  });
});

describe("what is to be quiet", () => {
  it.each([
    ["rule=slow", [{ label: "rule", value: "slow" }]],
    [
      ' rule=slow-*  route="POST /cart" ',
      [
        { label: "rule", value: "slow-*" },
        { label: "route", value: "POST /cart" },
      ],
    ],
    ["", null],
    ["service=*", null],
    ["slow", null],
    ["rule=slow and more", null],
    ["rule=", null],
    ['rule="open', null],
  ])("%j", (text, want) => expect(matchersOf(text)).toEqual(want));
  it("always ends", () =>
    expect(untilOf("3d", new Date("2026-11-01T00:00:00Z")).toISOString()).toBe(
      "2026-11-04T00:00:00.000Z",
    ));
});

describe("a check", () => {
  it("has a day of stretches; a letter that is not known is unknown", () => {
    expect(stretches("--ooxo!")).toEqual([
      { kind: "unwatched", from: 0, length: 2 },
      { kind: "ok", from: 2, length: 2 },
      { kind: "failed", from: 4, length: 1 },
      { kind: "ok", from: 5, length: 1 },
      { kind: "unknown", from: 6, length: 1 },
    ]);
    expect(stretches("")).toEqual([]);
  });
  const took = (more: Partial<CheckStep>): CheckStep => ({
    name: "GET /",
    ok: true,
    why: null,
    status: 200,
    address: null,
    dns_us: null,
    connect_us: null,
    tls_us: null,
    first_byte_us: null,
    total_us: null,
    certificate_ends: null,
    ...more,
  });
  it("says where the time of a step went, and nothing of what is not known", () => {
    expect(phasesOf(took({ dns_us: 1_000, first_byte_us: 5_000, total_us: 9_000 }))).toEqual([
      ["dns", 1],
      ["first_byte", 5],
      ["rest", 3],
    ]);
    expect(phasesOf(took({ connect_us: 2_000, total_us: 2_010 }))).toEqual([["connect", 2]]);
    expect(phasesOf(took({}))).toEqual([]);
  });
});

describe("what a rule measures", () => {
  it.each([
    ["latency.p95 of POST /checkout above 800ms for 5m", "ms"],
    ["errors.ratio above 5%", "share"],
    ["saturation.disk of every host above 95%", "share"],
    ["heartbeat.age above 26h", "seconds"],
    ["traffic below 1/s", "per-second"],
    ["latency_like above 3", "plain"],
    ["traffic of shop burning its budget (target 99.9 %)", "burn"],
    ["budget.burn of service shop, objective fast above 14.4", "burn"],
    ["budget.left of service shop, objective fast below 20%", "budget"],
    ["check.tls_days of check buy below 14", "days"],
    ["disappointed of service shop above 10", "people"],
    ["errors.count of service shop above 10", "plain"],
    ["host.gone of every host above 0", "plain"],
    ["host.agent_gone of every host above 0", "plain"],
    ["", "plain"],
  ])("%s", (condition, want) => expect(unitOf(condition)).toBe(want));

  it("is drawn when it is a series of the service, for the route that fired", () => {
    const one = (condition: string, more: Partial<Firing> = {}): Firing =>
      firing("f", { condition, ...more });
    expect(drawnOf(one("latency.p95 of POST /checkout above 800ms for 5m"))).toEqual({
      series: "latency_p95_ms",
      service: "shop",
      route: "POST /checkout",
    });
    const labels = { service: "blog", route: "GET /a" };
    expect(drawnOf(one("traffic below 1/s", { service: null, labels }))).toEqual({
      series: "traffic_per_s",
      service: "blog",
      route: "GET /a",
    });
    expect(drawnOf(one("traffic below 1/s", { service: null }))).toBeNull();
    expect(drawnOf(one("burn of shop/available above 14.4"))).toBeNull();
  });
  it("is shown around the firing, and never beyond now", () => {
    const now = new Date("2026-11-01T02:00:00Z");
    const started_at = "2026-11-01T01:00:00Z";
    expect(around({ started_at, resolved_at: null }, now).to).toEqual(now);
    expect(around({ started_at, resolved_at: "2026-11-01T01:10:00Z" }, now)).toEqual({
      from: new Date("2026-11-01T00:00:00Z"),
      to: new Date("2026-11-01T01:40:00Z"),
    });
    expect(around({ started_at, resolved_at: "2026-11-01T01:50:00Z" }, now).to).toEqual(now);
  });
});

describe("places of a check", () => {
  const check = (status: CheckStatus, ...places: CheckStatus[]): Parameters<typeof partOf>[0] => ({
    status,
    places: places.map((each, at) => ({
      from: `host-${at}`,
      status: each,
      last_at: null,
      total_ms: null,
      why: null,
    })),
  });
  it.each([
    ["the server alone", check("failed"), null],
    ["one agent", check("failed", "failed"), null],
    ["all agree", check("ok", "ok", "ok"), null],
    ["one fails", check("failed", "ok", "failed", "ok"), { n: 1, of: 3 }],
    ["one knows nothing", check("ok", "ok", "unknown", "ok"), { n: 2, of: 3 }],
    ["one was not heard yet", check("ok", "ok", "pending"), { n: 1, of: 2 }],
  ])("%s", (_, of, want) => expect(partOf(of)).toEqual(want));
  it.each([
    [["server"], false],
    [["tokyo", "server"], false],
    [["tokyo", "osaka"], true],
  ])("%j", (from, want) => expect(isOfAgents({ from })).toBe(want));
});
