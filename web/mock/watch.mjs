// Made-up firings, objectives, rules, channels and checks for the mock API. See data.mjs: development only.

import { iso, random, ROUTES, SERVICES } from "./data.mjs";

const [SHOP, INTERNAL] = SERVICES;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
const ago = (seconds) => iso(Date.now() / 1000 - seconds);

/** What people did since the scenario was chosen. */
const deeds = new Map();
let silences = [];
let notes = [];
export function forgetWatch() {
  deeds.clear();
  notes = [];
  silences = [
    {
      id: "s1",
      matchers: [
        { label: "rule", value: "search-*" },
        { label: "service", value: SHOP },
      ],
      reason: "the index is rebuilt until the evening",
      who: "ann",
      created_at: ago(2 * HOUR),
      from: ago(2 * HOUR),
      until: ago(-5 * HOUR),
    },
  ];
}
forgetWatch();

/** What a rule detects, in parts, of the conditions that are made up here; null where the parts are not known. */
function detectsOf(condition) {
  const found =
    /^([\w.]+)(?: of ([A-Z]+ \/\S*|every host))? (above|below) (\S+)(?: for (\w+))?$/.exec(
      condition,
    );
  if (found === null) return null;
  const [, signal, of, side, written, hold = null] = found;
  const part = of === "every host" ? { kind: "host", name: null } : { kind: "route", name: of };
  return {
    kind: "limit",
    signal,
    of: of === undefined ? [] : [part],
    side,
    limit: Number.parseFloat(written),
    written,
    hold,
    window: "5m",
  };
}

function firing(id, rule, kind, condition, more) {
  return {
    id,
    rule,
    spec: "0",
    class: kind,
    service: SHOP,
    series: "{}",
    condition,
    detects: detectsOf(condition),
    state: "open",
    started_at: ago(12 * MINUTE),
    changed_at: ago(12 * MINUTE),
    resolved_at: null,
    times: 1,
    value: null,
    threshold: null,
    told: true,
    quiet_reason: null,
    escalation_level: 0,
    escalate_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    owner: "web-team",
    due_at: null,
    progress: kind === "ticket" ? "open" : null,
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
  };
}

const OUTCOMES = ["acted", "acted", "resolved_by_itself", "no_action_needed", "duplicate", null];

function all(many) {
  const past = Array.from({ length: many ? 1_200 : 14 }, (_, at) => {
    const began = (at + 1) * 0.9 * DAY;
    const outcome = OUTCOMES[at % OUTCOMES.length];
    const why = outcome === "no_action_needed" ? "the nightly import is always slow" : null;
    return firing(
      `past-${at}`,
      at % 3 === 0 ? "shop-burning" : "search-slow",
      "alert",
      at % 3 === 0
        ? "burn of demo-shop/available over 1h and 5m above 14.4"
        : "latency.p95 of GET /search above 2s for 5m",
      {
        state: "resolved",
        started_at: ago(began),
        resolved_at: ago(began - 40 * MINUTE),
        value: 15.2,
        threshold: 14.4,
        acknowledged_at: outcome ? ago(began - 3 * MINUTE) : null,
        acknowledged_by: outcome ? "ann" : null,
        outcome,
        outcome_why: why,
        outcome_by: outcome ? "ann" : null,
        outcome_at: outcome ? ago(began - 50 * MINUTE) : null,
      },
    );
  });
  const rows = [
    firing("f1", "shop-burning", "alert", "burn of demo-shop/available over 1h and 5m above 14.4", {
      value: 22.71,
      threshold: 14.4,
      notes: 1,
    }),
    firing("f2", "search-slow", "alert", "latency.p95 of GET /search above 2s for 5m", {
      started_at: ago(95 * MINUTE),
      value: 2_410,
      threshold: 2_000,
      told: false,
      quiet_reason: JSON.stringify({
        why: "silenced",
        reason: "the index is rebuilt until the evening",
        by: "ann",
        until: ago(-5 * HOUR),
      }),
      labels: { route: "GET /search" },
    }),
    firing("f3", "db-disk", "alert", "saturation.disk of every host above 95% for 10m", {
      service: null,
      started_at: ago(3 * HOUR),
      value: 0.963,
      threshold: 0.95,
      acknowledged_at: ago(2.9 * HOUR),
      acknowledged_by: "bob",
      labels: { host: "db-1", device: "/var/lib/mysql" },
    }),
    ...past,
    // Close together, for the marks of charts.
    ...[7 * MINUTE, 6.5 * MINUTE, 6.2 * MINUTE].map((began, at) =>
      firing(`close-${at}`, "shop-burning", "alert", "errors.ratio above 5%", {
        state: "resolved",
        started_at: ago(began),
        resolved_at: ago(began - 20),
        value: 0.07,
        threshold: 0.05,
        outcome: "acted",
        outcome_by: "ann",
        outcome_at: ago(MINUTE),
      }),
    ),
    firing("buy-1", "buy-fails", "alert", "check.failures of buy above 2", {
      state: "resolved",
      started_at: ago(52 * MINUTE),
      resolved_at: ago(44 * MINUTE),
      value: 3,
      threshold: 2,
      labels: { check: "buy" },
      outcome: "acted",
      outcome_by: "ann",
      outcome_at: ago(40 * MINUTE),
    }),
    firing("t1", "checkout-slow", "ticket", "latency.p95 of POST /checkout above 800ms for 5m", {
      started_at: ago(5 * DAY),
      due_at: ago(2 * DAY),
      overdue: true,
      value: 1_840,
      threshold: 800,
      times: 3,
      labels: { route: "POST /checkout" },
    }),
    firing("t4", "search-errors", "ticket", "errors.ratio of GET /search above 2%", {
      state: "resolved",
      started_at: ago(3.2 * MINUTE),
      resolved_at: ago(2 * MINUTE),
      due_at: ago(-4 * DAY),
      value: 0.031,
      threshold: 0.02,
      labels: { route: "GET /search" },
    }),
    firing("t2", "certificate", "ticket", "check.tls_days of buy below 21", {
      started_at: ago(DAY),
      due_at: ago(-6 * DAY),
      progress: "in_progress",
      owner: "bob",
      value: 18,
      threshold: 21,
    }),
    firing("t3", "items-slow", "ticket", "latency.p95 of GET /items above 150ms for 1h", {
      service: INTERNAL,
      state: "resolved",
      resolved_at: ago(3 * DAY),
      started_at: ago(4 * DAY),
      due_at: ago(-DAY),
      progress: "done",
      done_at: ago(3 * DAY),
      outcome: "resolved_by_itself",
    }),
  ];
  return rows.map((row) => ({ ...row, ...deeds.get(row.id) }));
}

function paged(rows, query) {
  const from = Number(query.get("cursor") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const page = rows.slice(from, from + limit);
  const next = from + limit < rows.length ? String(from + limit) : null;
  return { firings: page, next };
}

function firings(query, many) {
  const [rule, service] = [query.get("rule"), query.get("service")];
  const state = query.get("state");
  const kind = query.get("class") ?? "alert";
  const rows = all(many).filter(
    (row) =>
      (rule ? row.rule === rule : row.class === kind && (!service || row.service === service)) &&
      (!state || row.state === state),
  );
  rows.sort((a, b) => b.started_at.localeCompare(a.started_at));
  return paged(rows, query);
}

function tickets(query) {
  const rows = all(false).filter(
    (row) =>
      row.class === "ticket" && row.progress !== "done" && (!query.get("overdue") || row.overdue),
  );
  return paged(rows, query);
}

function detail(id, many) {
  const row = all(many).find((each) => each.id === id);
  if (!row) return null;
  const began = Date.parse(row.started_at) / 1000;
  const entry = (at, kind, who, text) => ({
    id: `${kind}-${at}`,
    at: iso(began + at),
    kind,
    who,
    detail: text,
  });
  const history = [
    entry(0, "fired", null, null),
    ...(row.told ? [] : [entry(0, "quiet", null, row.quiet_reason)]),
    ...(row.told ? [entry(2, "delivered", null, "slack: fire")] : []),
    ...(row.acknowledged_at ? [entry(60, "acknowledged", row.acknowledged_by, null)] : []),
    ...(row.notes
      ? [entry(90, "note", "ann", "The deploy of 14:02 is the only change.\nRolling back.")]
      : []),
    ...notes.filter((each) => each.id === id).map((each) => each.entry),
    ...(row.outcome
      ? [
          entry(
            600,
            "outcome",
            row.outcome_by,
            row.outcome + (row.outcome_why ? `: ${row.outcome_why}` : ""),
          ),
        ]
      : []),
    ...(row.resolved_at ? [entry(2_400, "resolved", null, null)] : []),
  ];
  const delivery = (channel, kind, more) => ({
    id: `d-${channel}-${kind}`,
    firing: id,
    channel,
    kind,
    state: "delivered",
    created_at: row.started_at,
    not_before: row.started_at,
    attempts: 1,
    delivered_at: iso(began + 2),
    given_up_at: null,
    last_error: null,
    fell_back_to: null,
    ...more,
  });
  return {
    ...row,
    action: "Roll back the last deploy, or switch the failing dependency off",
    runbook: row.class === "alert" ? "https://wiki.example.com/shop-errors" : null,
    history,
    links:
      row.class === "alert"
        ? [{ kind: "issue", target: "example/shop#42", at: iso(began + 3), who: null }]
        : [],
    deliveries: row.told
      ? [
          delivery("slack", "fire", {}),
          delivery("mail", "fire", {
            state: "pending",
            delivered_at: null,
            attempts: 4,
            last_error: "connection refused (mail.example.com:587)",
            fell_back_to: "slack",
          }),
        ]
      : [],
  };
}

function objective(name, more) {
  const to = Date.now() / 1000;
  return {
    service: SHOP,
    name,
    route: null,
    good: "status < 500",
    check: null,
    target_percent: 99.9,
    window_spec: "30d",
    window: { from: iso(to - 30 * DAY), to: iso(to) },
    time_zone: null,
    sum: {
      tally: { good: 2_056_407, valid: 2_058_320, unknown: 0 },
      minutes: 43_200,
      seen: 41_730,
    },
    sli: 0.99907,
    error_ratio: 0.00093,
    budget: 0.001,
    left: 0.0705,
    left_of_window: 0.0705,
    burn_1h: 22.71,
    burn_6h: 4.2,
    exhaustion: { state: "in", in: "2h" },
    ...more,
  };
}
const OBJECTIVES = () => [
  objective("available", {}),
  objective("fast", {
    good: "duration_ms < 300",
    target_percent: 99,
    left: 0.61,
    burn_1h: 0.42,
    burn_6h: 0.38,
    exhaustion: { state: "not_in_window" },
    sum: {
      tally: { good: 2_050_000, valid: 2_058_320, unknown: 120 },
      minutes: 43_200,
      seen: 43_200,
    },
  }),
  objective("checkout", {
    route: "POST /checkout",
    left: -0.34,
    burn_1h: 1.1,
    burn_6h: 1.3,
    exhaustion: { state: "already" },
  }),
  objective("from-outside", {
    good: null,
    check: "buy",
    left: null,
    burn_1h: null,
    burn_6h: null,
    exhaustion: { state: "unknown" },
    sum: { tally: { good: 0, valid: 0, unknown: 0 }, minutes: 43_200, seen: 0 },
  }),
];

function objectiveDetail(service, name) {
  const found = OBJECTIVES().find((each) => each.service === service && each.name === name);
  if (!found) return null;
  const from = Date.parse(found.window.from) / 1000;
  const noise = random(7);
  let left = 1;
  const steps = Array.from({ length: 240 }, (_, at) => {
    const seen = found.left !== null && (at < 90 || at > 97);
    const burst = at > 200 && at < 212 ? 12 : at === 60 ? 20 : 1;
    if (seen) left -= noise() * 0.0018 * burst;
    return {
      at: iso(from + at * 3 * HOUR),
      tally: { good: 8_500, valid: 8_510, unknown: 0 },
      minutes: 180,
      seen: seen ? 180 : 0,
      left: found.left === null ? null : left,
    };
  });
  return {
    ...found,
    step_s: 3 * HOUR,
    steps,
    routes: found.good?.startsWith("status")
      ? ROUTES.filter(([, , , , , bad]) => bad > 0)
          .map(([route, n, , , , bad]) => ({
            name: route,
            bad: Math.round(n * bad * 3),
            people: Math.round(n * bad * 2),
          }))
          .sort((a, b) => b.bad - a.bad)
      : null,
    changes: [
      {
        at: iso(from + 200 * 3 * HOUR),
        kind: "deploy",
        title: "deploy a1b2c3",
        service: SHOP,
        detail: "search: new ranking",
      },
    ],
    rules: name === "available" ? ["shop-burning"] : [],
  };
}

function rules() {
  const one = (name, kind, phase, condition, series, more = {}) => ({
    name,
    class: kind,
    service: SHOP,
    owner: "web-team",
    action: "Roll back the last deploy",
    runbook: null,
    due: null,
    condition,
    detects: detectsOf(condition),
    objective: null,
    threshold: 800,
    phase,
    series: series.map(([labels, phase, value, blind = null]) => ({
      labels,
      phase,
      value,
      blind,
      since: ago(700),
    })),
    series_more: 0,
    left_out: 0,
    ...more,
  });
  return {
    rules: [
      one(
        "shop-burning",
        "alert",
        "firing",
        "burn of demo-shop/available over 1h and 5m above 14.4",
        [[{}, "firing", 22.71]],
        {
          objective: `${SHOP}/available`,
          threshold: null,
          runbook: "https://wiki.example.com/shop-errors",
        },
      ),
      one(
        "checkout-slow",
        "ticket",
        "pending",
        "latency.p95 of POST /checkout above 800ms for 5m",
        [[{ route: "POST /checkout" }, "pending", 1_840]],
      ),
      one(
        "host-memory",
        "ticket",
        "source_lost",
        "saturation.memory of every host above 90% for 10m",
        [
          [{ host: "web-1" }, "source_lost", null],
          [{ host: "web-2" }, "fine", 0.61],
          [{ host: "db-1" }, "firing", 0.92, "absent"],
        ],
      ),
      one("orders-stuck", "ticket", "failed", "SQL above 3", [[{}, "failed", null]], {
        service: null,
      }),
      one("night-traffic", "record", "absent", "traffic below 1/s for 1h", [[{}, "absent", null]], {
        owner: null,
      }),
      one(
        "search-slow",
        "alert",
        "fine",
        "latency.p95 of GET /search above 2s for 5m",
        [[{}, "fine", 920]],
        { threshold: 2_000 },
      ),
      one(
        "cart-errors",
        "ticket",
        "fine",
        "errors.ratio of POST /cart above 2% for 5m",
        [[{}, "fine", 0.0012]],
        {
          threshold: 0.02,
        },
      ),
    ],
    config_problem:
      'koshu.yaml:14:12: unknown signal "latency.p59"\n  14 |     signal: latency.p59\n     |             ^^^^^^^^^^^ did you mean latency.p95?',
    last_evaluation_us: 840,
  };
}

function channels() {
  const state = (more) => ({
    channel: "",
    failing_since: null,
    last_success_at: ago(700),
    last_error: null,
    last_error_at: null,
    test_sent_at: null,
    test_acknowledged_at: null,
    test_acknowledged_by: null,
    ...more,
  });
  return {
    channels: [
      {
        name: "slack",
        kind: "slack",
        classes: ["alert", "ticket"],
        state: state({
          test_sent_at: ago(3 * DAY),
          test_acknowledged_at: ago(3 * DAY - 60),
          test_acknowledged_by: "ann",
        }),
      },
      {
        name: "mail",
        kind: "email",
        classes: ["alert"],
        state: state({
          failing_since: ago(20 * MINUTE),
          last_error: "connection refused (mail.example.com:587)",
          test_sent_at: ago(HOUR),
        }),
      },
      { name: "github", kind: "github", classes: ["ticket"], state: null },
      { name: "old-webhook", kind: null, classes: [], state: state({}) },
    ],
  };
}

const minutes = () =>
  `${"-".repeat(300)}${"o".repeat(900)}${"x".repeat(12)}${"?".repeat(8)}${"o".repeat(220)}`;
const place = (from, status, more = {}) => ({
  from,
  status,
  last_at: ago(31),
  total_ms: 311.2,
  why: null,
  ...more,
});
function checks(many) {
  const one = (name, kind, status, target, more = {}) => ({
    name,
    kind,
    target,
    service: SHOP,
    every_s: 60,
    from: ["server"],
    places: [],
    status,
    since: status === "pending" ? null : ago(2 * HOUR),
    last_at: status === "pending" ? null : ago(31),
    last_ok: status === "pending" ? null : ago(31),
    total_ms: status === "pending" ? null : 231.4,
    why: null,
    step: null,
    evidence: [],
    certificate_ends: kind === "http" ? ago(-18 * DAY) : null,
    heartbeat: null,
    uptime: { ok: 1_120, failed: 12, unknown: 8, unwatched: 300, ratio: 0.9894 },
    ...more,
  });
  return [
    one("buy", "http", "failed", "GET https://shop.example/", {
      step: 1,
      why: {
        code: "status",
        expected: "status 302",
        got: "500",
        text: "step 2: expected status 302, got 500",
      },
    }),
    one("dns-outside", "dns", "unknown", "shop.example A", {
      why: { code: "timeout", expected: "", got: "", text: "no answer within 5s" },
      evidence: [{ tried: "gateway 192.0.2.1", found: "no answer", reached: false }],
    }),
    one("nightly-backup", "heartbeat", "late", "heartbeat", {
      total_ms: null,
      heartbeat: { id: "h1", phase: "late", last_end: ago(26 * HOUR), due: ago(2 * HOUR) },
    }),
    one("tls", "tls", "ok", "shop.example:443"),
    one("from-abroad", "http", "failed", "GET https://shop.example/health", {
      from: ["tokyo-1", "osaka-1", "web-2"],
      places: [
        place("tokyo-1", "failed", {
          why: { code: "timeout", expected: "", got: "", text: "no answer within 5s" },
        }),
        place("osaka-1", "unknown", {
          total_ms: null,
          why: {
            code: "no_runner",
            expected: "a run from osaka-1",
            got: "nothing from that agent",
            text: "expected a run from osaka-1, got nothing from that agent",
          },
        }),
        place("web-2", "ok"),
      ],
      why: { code: "timeout", expected: "", got: "", text: "no answer within 5s" },
    }),
    one("new-one", "tcp", "pending", "db.example:5432", {
      uptime: { ok: 0, failed: 0, unknown: 0, unwatched: 1_440, ratio: null },
    }),
    ...Array.from({ length: many ? 400 : 0 }, (_, at) =>
      one(`page-${at}`, "http", "ok", `GET https://shop.example/${at}`),
    ),
  ];
}

function checkList(query, many, empty) {
  const service = query.get("service");
  const known = empty ? [] : checks(many).filter((each) => !service || each.service === service);
  const counts = { failed: 0, unknown: 0, late: 0, pending: 0, ok: 0 };
  for (const each of known) counts[each.status] += 1;
  const fit = known.filter(
    (each) =>
      (!query.get("status") || each.status === query.get("status")) &&
      each.name.includes(query.get("q") ?? ""),
  );
  return {
    checks: fit.slice(0, Number(query.get("limit") ?? 100)),
    total: fit.length,
    counts,
    next_cursor: null,
    not_stored: 0,
  };
}

const run = (failed, at) => ({
  at: ago(at),
  from: "server",
  status: failed ? "failed" : "ok",
  attempts: failed ? 2 : 1,
  total_ms: 231.4,
  step: failed ? 1 : null,
  why: failed
    ? {
        code: "status",
        expected: "status 302",
        got: "500",
        text: "step 2: expected status 302, got 500",
      }
    : null,
  evidence: [],
  steps: [
    {
      name: "GET https://shop.example/",
      ok: true,
      why: null,
      status: 200,
      address: "192.0.2.7:443",
      dns_us: 1_200,
      connect_us: 8_100,
      tls_us: 22_300,
      first_byte_us: 61_000,
      total_us: 98_000,
      certificate_ends: ago(-18 * DAY),
    },
    {
      name: "POST https://shop.example/cart",
      ok: !failed,
      why: failed
        ? {
            code: "status",
            expected: "status 302",
            got: "500",
            text: "expected status 302, got 500",
          }
        : null,
      status: failed ? 500 : 302,
      address: "192.0.2.7:443",
      dns_us: null,
      connect_us: null,
      tls_us: null,
      first_byte_us: 131_000,
      total_us: 133_400,
      certificate_ends: null,
    },
  ],
});

const runsOf = (status) => [run(status === "failed", 31), run(false, 91), run(false, 151)];

/** Of three places, each at a moment of its own: the first fails now and is slow, the second fell silent. */
function runsOfPlaces(places) {
  const next = random(5);
  return Array.from({ length: 99 }, (_, at) => {
    const place = at % places.length;
    const round = Math.floor(at / places.length);
    const failed = place === 0 && round < 3;
    const base = [410, 260, 120][place];
    return {
      ...run(failed, 31 + round * 60 + place * 17),
      from: places[place],
      total_ms: failed ? null : base + next() ** 3 * base + (place === 0 && round < 9 ? 900 : 0),
    };
  }).filter((each, at) => at % places.length !== 1 || at > 60);
}

function check(name, many) {
  const found = checks(many).find((each) => each.name === name);
  if (!found) return null;
  const ran = found.kind !== "heartbeat" && found.status !== "pending";
  const noise = random(11);
  return {
    ...found,
    minutes: ran ? minutes() : "-".repeat(1_440),
    history: ran
      ? Array.from({ length: 100 }, (_, at) => ({
          at: ago((100 - at) * 60),
          status: "ok",
          total_ms: 180 + noise() * 120,
        }))
      : [],
    runs: !ran ? [] : found.from.length > 1 ? runsOfPlaces(found.from) : runsOf(found.status),
    last_bad: ran ? run(true, 31 * HOUR) : null,
  };
}

function coverage(query) {
  const service = query.get("service");
  const rows = ROUTES.map(([route, count, , , , bad]) => ({
    route,
    count,
    share: count / 2_058_320,
    errors: Math.round(count * bad),
    covered_by: [],
  })).sort((a, b) => b.count - a.count);
  const covered = rows.filter((row) => ["GET /", "POST /cart"].includes(row.route));
  for (const row of covered) row.covered_by.push({ check: "buy", step: 0 });
  return {
    service,
    from: query.get("from"),
    to: query.get("to"),
    routes: rows.length,
    routes_covered: covered.length,
    requests: 2_058_320,
    requests_covered: 351_600,
    share_covered: 0.171,
    uncovered: rows.filter((row) => row.covered_by.length === 0),
    covered,
    without_traffic: [{ check: "old-form", step: 2 }],
    damaged_files: [],
  };
}

/** What the watch answers to a GET; null when the path is none of its own. */
export function watch(path, query, { empty, many }) {
  const [first, second, third] = path.split("/").filter(Boolean).map(decodeURIComponent);
  switch (first) {
    case "firings":
      if (second) return detail(second, many);
      return empty ? { firings: [], next: null } : firings(query, many);
    case "tickets":
      return empty ? { firings: [], next: null } : tickets(query);
    case "objectives":
      if (second) return objectiveDetail(second, third);
      return { objectives: empty ? [] : OBJECTIVES() };
    case "rules":
      return empty ? { rules: [], config_problem: null, last_evaluation_us: 0 } : rules();
    case "channels":
      return empty ? { channels: [] } : channels();
    case "silences":
      return empty
        ? { silences: [], maintenances: [] }
        : {
            silences,
            maintenances: [
              {
                id: "m1",
                service: INTERNAL,
                reason: "MySQL 8.4",
                who: "bob",
                created_at: ago(HOUR),
                from: ago(-2 * DAY),
                until: ago(-2 * DAY - 2 * HOUR),
              },
            ],
          };
    case "checks":
      return second ? check(second, many) : checkList(query, many, empty);
    case "coverage":
      return coverage(query);
    default:
      return null;
  }
}

/** What a person did; the status and body of the answer, or null when the path is none of the watch. */
export function act(method, path, body) {
  const [first, id, what] = path.split("/").filter(Boolean).map(decodeURIComponent);
  const remember = (more) => {
    deeds.set(id, { ...deeds.get(id), ...more });
    return [204];
  };
  if (first === "firings" && what === "ack")
    return remember({ acknowledged_at: ago(0), acknowledged_by: "admin" });
  if (first === "firings" && what === "outcome")
    return remember({
      outcome: body.outcome,
      outcome_why: body.why,
      outcome_by: "admin",
      outcome_at: ago(0),
    });
  if (first === "firings" && what === "notes") {
    notes.push({
      id,
      entry: { id: ago(0), at: ago(0), kind: "note", who: "admin", detail: body.text },
    });
    return [204];
  }
  if (first === "firings" && what === "owner") return remember({ owner: body.owner });
  if (first === "firings" && what === "due") return remember({ due_at: body.due_at });
  if (first === "firings" && what === "progress") return remember({ progress: body.progress });
  if (first === "channels" && what === "test") return [202, { id: "test-1" }];
  if (first === "channels" && id === "tests") return [200, { channel: "slack" }];
  if (first === "silences" && method === "POST") {
    silences.push({ id: `s${silences.length + 1}`, who: "admin", from: ago(0), ...body });
    return [201, {}];
  }
  if (first === "silences" && method === "DELETE") {
    silences = silences.filter((each) => each.id !== id);
    return [204];
  }
  if (first === "checks" && what === "run") return [200, run(true, 0)];
  return null;
}
