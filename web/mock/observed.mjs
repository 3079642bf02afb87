// Errors, traces, metrics and log lines of the mock API. See data.mjs: development only.

import { iso, random, SERVICES, times } from "./data.mjs";

const stepFor = (from, to, points) =>
  [15, 30, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 86_400].find(
    (step) => (to - from) / step <= points,
  ) ?? 86_400;

const hex = (seed, length) => {
  const next = random(seed);
  return Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join("");
};

// ---- Errors

const STACK = `Payment.charge (app/models/payment.rb:48) *
block in checkout (app/controllers/checkout_controller.rb:31) *
Faraday::Connection#post (/usr/lib/ruby/gems/3.3/gems/faraday-2.9/lib/faraday/connection.rb:279)
ActionController::Metal#dispatch (/usr/lib/ruby/gems/3.3/gems/actionpack-7.1/lib/action_controller/metal.rb:227)
Rack::Builder#call (/usr/lib/ruby/gems/3.3/gems/rack-3.1/lib/rack/builder.rb:223)
`;
const GROUPS = [
  ["PaymentError", "order 48213 was refused: card declined by 「ミナト銀行」", 412, 187, "open"],
  ["Net::ReadTimeout", "Net::ReadTimeout with #<TCPSocket:(closed)> after 5 s", 96, 71, "reopened"],
  [
    "TypeError",
    "Cannot read properties of undefined (reading 'price') at CartLine.render, while the recommendations were being refreshed for a visitor without a session",
    58,
    40,
    "open",
  ],
  ["ActiveRecord::RecordNotFound", "Couldn't find Item with 'id'=90211", 31, 12, "ignored"],
  ["Mysql2::Error", "Lock wait timeout exceeded; try restarting transaction", 7, 6, "resolved"],
  ["注文エラー", "在庫が足りません：お茶 3 個", 3, 3, "open"],
];
const decided = new Map();
export const decide = (group, state) => {
  const decision = { state, state_since: iso(Date.now() / 1000), state_by: "admin" };
  decided.set(group, decision);
  return { group_id: group, ...decision };
};
export const forgetDecisions = () => decided.clear();

const idOf = (at) => `v1-${hex(at + 900, 32)}`;
function decisionOf(at) {
  const state = GROUPS[at][4];
  const since = state === "open" ? null : iso(Date.now() / 1000 - 30_000);
  return (
    decided.get(idOf(at)) ?? {
      state,
      state_since: since,
      state_by: since ? (at === 1 ? "hanako" : "admin") : null,
    }
  );
}
function trendOf(at, from, to, step) {
  const trend = [];
  for (let time = Math.floor(from / step) * step; time < to; time += step) {
    const next = random(time ^ (at * 7919));
    const since = (to - time) / (to - from);
    const busy = at === 1 ? since < 0.25 : at === 4 ? since > 0.6 : true;
    trend.push(busy ? Math.floor(next() ** 3 * (GROUPS[at][2] / 12)) : 0);
  }
  return trend;
}
const barsOf = (trends, from, step) =>
  (trends[0] ?? []).map((_, at) => [
    Math.floor(from / step) * step + at * step,
    trends.reduce((sum, trend) => sum + trend[at], 0),
  ]);

export function errors(query, empty) {
  const { from, to } = times(query);
  const step = stepFor(from, to, 60);
  const sort = query.get("sort") ?? "count";
  const service = query.get("service");
  // Some are seen for the first time in the time that pages show.
  const long = to - from > 6 * 86_400 && to < Date.now() / 1000 - 300;
  const all = (empty ? [] : GROUPS).map(([kind, message, count, users], at) => ({
    group_id: idOf(at),
    service: SERVICES[at === 3 ? 1 : 0],
    kind,
    message,
    count,
    users,
    first_seen: iso(from + (to - from) * (at === 1 ? 0.76 : 0.04 * at)),
    last_seen: iso(to - 40 - at * at * 900),
    releases:
      at === 3
        ? []
        : at === 1
          ? [["shop@2026.11.25", 96]]
          : [
              ["shop@2026.11.25", count - 2],
              ["shop@2026.11.21", 2],
            ],
    trend: trendOf(at, from, to, step),
    ...decisionOf(at),
  }));
  const key = { count: "count", users: "users", last_seen: "last_seen" }[sort];
  const groups = all.filter(
    (group, at) => (!service || group.service === service) && !(long && (at === 2 || at === 5)),
  );
  groups.sort((a, b) => (a[key] < b[key] ? 1 : -1));
  return {
    from: iso(from),
    to: iso(to),
    step_s: step,
    errors: groups.reduce((sum, group) => sum + group.count, 0),
    group_count: groups.length,
    users: empty ? 0 : 264,
    bars: empty
      ? []
      : barsOf(
          groups.map((group) => group.trend),
          from,
          step,
        ),
    groups,
    partial: null,
  };
}

const errorRecord = (at, n, to) => ({
  ts: iso(to - 41 - n * 1_733),
  service: SERVICES[0],
  host: n % 2 ? "web-2" : "web-1",
  group_id: idOf(at),
  kind: GROUPS[at][0],
  message: GROUPS[at][1].replace(/\d{5}/, String(48_213 - n * 77)),
  severity: "error",
  release: "shop@2026.11.25",
  environment: "production",
  user_key: n % 3 === 2 ? null : hex(n + 5, 16),
  trace_id: n % 4 === 3 ? null : hex(n + 70, 32),
  stack: n === 2 ? null : STACK,
  source: "sentry",
  attrs: { runtime: "ruby 3.3.5", "server.name": "web-1", transaction: "POST /checkout" },
});

export function errorGroup(group, query, empty) {
  const { from, to } = times(query);
  const at = GROUPS.findIndex((_, place) => idOf(place) === group);
  if (empty || at === -1) return null;
  const step = stepFor(from, to, 60);
  const [kind, message, count, users] = GROUPS[at];
  const share = (name, n, since) => ({
    name,
    count: n,
    first_seen: iso(to - since),
    last_seen: iso(to - 41),
  });
  return {
    group_id: group,
    kind,
    message,
    step_s: step,
    count,
    users,
    first_seen: iso(from + 900),
    last_seen: iso(to - 41),
    grouping: {
      version: "v1",
      proven: at !== 3,
      inputs: [
        { name: "type", text: kind },
        { name: "message", text: "order <n> was refused: card declined by <quoted>" },
        { name: "frame", text: "Payment.charge (app/models/payment.rb)" },
        { name: "frame", text: "block in checkout (app/controllers/checkout_controller.rb)" },
      ],
    },
    services: [share(SERVICES[0], count, 80_000)],
    releases: [share("shop@2026.11.25", count - 2, 30_000), share("shop@2026.11.21", 2, 80_000)],
    people: [
      share(null, 31, 80_000),
      ...[9, 7, 7, 4, 2].map((n, of) => share(hex(of + 5, 16), n, 9_000 * (of + 1))),
    ],
    bars: barsOf([trendOf(at, from, to, step)], from, step),
    records: Array.from({ length: 8 }, (_, n) => errorRecord(at, n, to)),
    ...decisionOf(at),
    partial: null,
  };
}

// ---- Traces

const ROOTS = [
  ["POST /checkout", 1_840, 23, 1],
  ["GET /search", 212, 9, 0],
  ["GET /items/:id", 48, 6, 0],
  ["worker: send_receipt", 640, 4, 0],
  ["GET /api/v2/recommendations", 3_120, 31, 2],
];

export function traces(query, empty) {
  const { from, to } = times(query);
  const least = Number(query.get("min_ms") ?? "0");
  const q = (query.get("q") ?? "").toLowerCase();
  const all = [];
  for (let at = 0; at < 120 && !empty && to - at * 47 > from; at += 1) {
    const next = random(at * 31 + 5);
    const [name, ms, spans, errors] = ROOTS[Math.floor(next() * ROOTS.length)];
    all.push({
      trace_id: hex(at + 70, 32),
      name,
      service: name.startsWith("worker") ? SERVICES[1] : SERVICES[0],
      kind: name.startsWith("worker") ? "consumer" : "server",
      status: errors > 0 && at % 3 === 0 ? "error" : null,
      start: iso(to - at * 47 - 3),
      duration_ms: Math.round(ms * (0.4 + next() * 1.4) * 10) / 10,
      spans,
      errors: at % 3 === 0 ? errors : 0,
      services: errors > 0 ? 3 : 2,
    });
  }
  const traces = all.filter(
    (trace) => trace.duration_ms >= least && trace.name.toLowerCase().includes(q),
  );
  return { traces, more: traces.length > 100, partial: null };
}

export function trace(id, empty, many) {
  if (empty || id === "gone") return null;
  const start = Date.now() / 1000 - 300;
  const spans = [];
  const add = (id, parent, name, service, kind, offset, ms, status = null, attrs = {}) =>
    spans.push({
      span_id: id,
      parent_id: parent,
      name,
      service,
      host: service === "db" ? "db-1" : "web-1",
      kind,
      status,
      start: iso(start + offset / 1000),
      offset_us: Math.round(offset * 1000),
      duration_ms: ms,
      source: "otlp",
      attrs,
    });
  const http = {
    "http.request.method": "POST",
    "http.route": "/checkout",
    "http.response.status_code": "502",
  };
  add("a0", null, "POST /checkout", SERVICES[0], "server", 0, 1_840, "error", http);
  add("a1", "a0", "authenticate", SERVICES[0], "internal", 2, 21);
  add("a2", "a1", "SELECT users", "db", "client", 4, 12, null, {
    "db.system": "mysql",
    "db.statement": "SELECT id, name, plan FROM users WHERE id = ?",
  });
  add("a3", "a0", "load cart", SERVICES[0], "internal", 26, 310);
  for (let n = 0; n < (many ? 4_000 : 9); n += 1)
    add(
      `b${n}`,
      "a3",
      "SELECT items",
      "db",
      "client",
      28 + n * (many ? 0.07 : 33),
      many ? 0.05 : 26,
    );
  add("a4", "a0", "在庫を確保", SERVICES[1], "client", 340, 96);
  add("a5", "a4", "POST /reserve", SERVICES[1], "server", 346, 84);
  add("a6", "a0", "charge card", SERVICES[0], "client", 440, 1_380, "error", {
    "server.address": "pay.example",
    "error.type": "Net::ReadTimeout",
  });
  add("c0", "gone", "write audit log", SERVICES[1], "producer", 1_200, null);
  add("c1", "c0", "flush", SERVICES[1], "internal", 1_240, 60);
  spans.sort((a, b) => a.offset_us - b.offset_us);
  const line = (offset, severity, body) => ({
    ts: iso(start + offset / 1000),
    service: SERVICES[0],
    host: "web-1",
    severity,
    body,
    trace_id: id,
    source: "forward",
    attrs: {},
  });
  return {
    trace_id: id,
    spans,
    more_spans: many,
    lines: [
      line(27, "info", "cart 4711 has 9 items"),
      line(1_822, "error", "charge failed after 1380 ms: Net::ReadTimeout"),
    ],
    errors: [errorRecord(1, 0, start + 2)],
    partial: null,
  };
}

// ---- Metrics

const METRICS = [
  ["http_requests_total", true, 48, SERVICES],
  ["http_request_duration_seconds_bucket", true, 528, SERVICES],
  ["process_resident_memory_bytes", false, 6, SERVICES],
  ["queue_length", false, 3, [SERVICES[1]]],
  ["node_cpu_seconds_total", true, 32, ["node"]],
  ["node_filesystem_avail_bytes", false, 5, ["node"]],
];

export function metrics(empty, many) {
  const list = METRICS.map(([name, counter, series, services], at) => ({
    name,
    counter,
    series,
    services,
    last_seen: iso(Date.now() / 1000 - 4 - at),
  }));
  const extra = many
    ? Array.from({ length: 900 }, (_, at) => ({ ...list[at % 6], name: `app_metric_${at}` }))
    : [];
  return { metrics: empty ? [] : [...list, ...extra], more: false, partial: null };
}

export function metricSeries(query) {
  const { from, to } = times(query);
  const name = query.get("name") ?? "";
  const known = METRICS.find(([each]) => each === name) ?? [name, false, 1, SERVICES];
  const step = stepFor(from, to, 240);
  const by = query.get("by");
  const rate = query.get("rate") === null ? known[1] : query.get("rate") === "true";
  const values = {
    code: ["200", "404", "500", null],
    host: ["web-1", "web-2", "db-1"],
    service: known[3],
  };
  const labels =
    by === "path" ? Array.from({ length: 50 }, (_, at) => `/items/${at}`) : (values[by] ?? [""]);
  const scale = name.endsWith("bytes") ? 4e8 : 40;
  const lines = labels.map((label, at) => {
    const points = [];
    for (let time = Math.ceil(from / step) * step; time < to; time += step) {
      const since = (to - time) / (to - from);
      const noise = random(Math.round(time) ^ (at * 7919))();
      const wave = 1 + 0.3 * Math.sin(time / 9_000 + at);
      points.push([
        time,
        since > 0.5 && since < 0.53 ? null : (scale / (at + 1)) * wave * (0.9 + noise * 0.2),
      ]);
    }
    return { label, series: Math.max(1, Math.round(known[2] / labels.length)), points };
  });
  return {
    name,
    step_s: step,
    counter: known[1],
    rate,
    fold: query.get("fold") ?? "mean",
    by,
    series: known[2],
    labels: [
      ["code", 4],
      ["host", 3],
      ["path", 212],
      ["service", known[3].length],
    ],
    lines,
    lines_left_out: by === "path" ? 162 : 0,
    partial: null,
  };
}

// ---- Log lines

const LINES = [
  [
    "info",
    "order <n> paid in <n> ms",
    (n) => `order ${48_000 + n} paid in ${20 + (n % 90)} ms`,
    40,
  ],
  [
    "info",
    "GET /items/<n> <n> from <ip>",
    (n) => `GET /items/${n % 900} 200 from 203.0.113.${n % 250}`,
    30,
  ],
  [null, "cache miss for item <n>", (n) => `cache miss for item ${n % 700}`, 14],
  [
    "warn",
    "slow query: SELECT * FROM items took <n> ms",
    (n) => `slow query: SELECT * FROM items took ${900 + (n % 400)} ms`,
    9,
  ],
  [
    "error",
    "payment refused by bank <*> for order <n>",
    (n) => `payment refused by bank ${n % 2 ? "A" : "ミナト銀行"} for order ${48_000 + n}`,
    5,
  ],
  ["fatal", "worker <n> ran out of memory", (n) => `worker ${n % 8} ran out of memory`, 1],
  ["debug", "在庫を確認しました：商品 <n>", (n) => `在庫を確認しました：商品 ${n % 300}`, 12],
];
const RANKS = ["trace", "debug", "info", "warn", "error", "fatal"];
const weights = LINES.flatMap((each, at) => Array(each[3]).fill(at));
const wanted = (query) => {
  const least = RANKS.indexOf(query.get("severity") ?? "");
  const pattern = query.get("pattern");
  const q = (query.get("q") ?? "").toLowerCase();
  return ([severity, text, make]) =>
    (least === -1 || RANKS.indexOf(severity) >= least) &&
    (pattern === null || pattern === text) &&
    make(1).toLowerCase().includes(q);
};

export function logLines(query, empty) {
  const { from, to } = times(query);
  const fits = wanted(query);
  const start = Number(query.get("cursor") ?? "0");
  const lines = [];
  let at = start;
  for (; lines.length < 200 && at < start + 20_000 && !empty && to - at * 0.9 > from; at += 1) {
    const line = LINES[weights[Math.floor(random(at * 17 + 3)() * weights.length)]];
    if (!fits(line)) continue;
    lines.push({
      ts: iso(to - at * 0.9 - 1),
      service: SERVICES[at % 5 === 0 ? 1 : 0],
      host: at % 3 ? "web-1" : "web-2",
      severity: line[0],
      body: at === 3 ? `${line[2](at)} ${"and a very long tail ".repeat(20)}` : line[2](at),
      trace_id: at % 4 === 0 ? hex(at + 70, 32) : null,
      source: "forward",
      attrs: { tag: "kube.var.log.shop", stream: "stdout" },
    });
  }
  const step = stepFor(from, to, 100);
  const bars = [];
  let total = 0;
  for (let time = Math.floor(from / step) * step; time < to && !empty; time += step) {
    const next = random(time);
    const bar = [
      Math.round(300 + next() * 200),
      Math.round(next() ** 3 * 60),
      Math.round(next() ** 6 * 80),
    ];
    total += bar[0] + bar[1] + bar[2];
    bars.push([time, ...bar]);
  }
  return {
    lines,
    next_cursor: lines.length === 200 ? String(at) : null,
    histogram: start === 0 ? { step_s: step, total: lines.length === 0 ? 0 : total, bars } : null,
    partial: null,
  };
}

export function linePatterns(query, empty) {
  const now = Date.now() / 1000;
  const patterns = (empty ? [] : LINES.filter(wanted(query)))
    .map(([severity, pattern, make, weight], at) => ({
      pattern,
      count: weight * 41,
      severity,
      sample: make(at + 7),
      first_seen: iso(now - 7_000),
      last_seen: iso(now - at * 13),
    }))
    .sort((a, b) => b.count - a.count);
  const of = patterns.reduce((sum, each) => sum + each.count, 0);
  return { patterns, of_lines: of, more_lines: of > 4_000, other_lines: 0, partial: null };
}
