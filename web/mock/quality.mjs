// Made-up reports, records of rules, replays and proposals for the mock API. See data.mjs: development only.

import { iso, random, SERVICES } from "./data.mjs";

const [SHOP] = SERVICES;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
const now = () => Date.now() / 1000;

function wilson(of, all) {
  if (all === 0) return null;
  const z = 1.96;
  const p = of / all;
  const scale = 1 + (z * z) / all;
  const middle = p + (z * z) / (2 * all);
  const margin = z * Math.sqrt((p * (1 - p)) / all + (z * z) / (4 * all * all));
  return {
    of,
    all,
    share: p,
    low: Math.max(0, (middle - margin) / scale),
    high: Math.min(1, (middle + margin) / scale),
  };
}

/** Months begin at midnight in Japan. */
const TOKYO_S = 9 * HOUR;
function monthSpan(month) {
  const [year, number] = month.split("-").map(Number);
  return [
    Date.UTC(year, number - 1, 1) / 1000 - TOKYO_S,
    Date.UTC(year, number, 1) / 1000 - TOKYO_S,
  ];
}
const monthNow = () => new Date((now() + TOKYO_S) * 1000).toISOString().slice(0, 7);

function figures(minutes, unknown, bad) {
  const requests = Math.round(minutes * 47.6);
  const failed = Math.round(bad * 21);
  const users = minutes * 31 * MINUTE * 1e6;
  return {
    time: { good: Math.max(0, minutes - bad), all: minutes },
    unknown_minutes: unknown,
    requests: { good: Math.max(0, requests - failed), all: requests },
    requests_interval: wilson(requests - failed, requests),
    users: { good: Math.max(0, users - bad * 12 * MINUTE * 1e6), all: users },
  };
}

export function month(query, empty) {
  const asked = query.get("month") ?? monthNow();
  const [from, to] = monthSpan(asked);
  const until = Math.min(to, now());
  const nothing = empty || asked < "2026-01" || from > now();
  const minutes = nothing ? 0 : Math.floor((until - from) / MINUTE) - 310;
  const earlier = asked < monthNow();
  const target = query.get("objective") === "fast" ? 99 : 99.9;
  const watched = (query.get("service") ?? SHOP) === SHOP;
  return {
    service: query.get("service") ?? SHOP,
    month: asked,
    time_zone: query.get("time_zone") ?? "Asia/Tokyo",
    from: iso(from),
    to: iso(to),
    is_over: to <= now(),
    until: iso(until),
    objective: watched ? (query.get("objective") ?? "available") : null,
    good: query.get("objective") === "fast" ? "duration_ms < 300" : "status < 500",
    target_percent: watched ? target : null,
    allowed_s: watched ? (to - from) * (1 - target / 100) : null,
    with_maintenance: figures(
      minutes,
      nothing ? Math.floor((to - from) / MINUTE) : 310,
      earlier ? 12 : 71,
    ),
    without_maintenance: figures(
      Math.max(0, minutes - (earlier ? 0 : 60)),
      nothing ? Math.floor((to - from) / MINUTE) : 310,
      earlier ? 12 : 23,
    ),
    maintenance_minutes: earlier ? 0 : 60,
    user_count: nothing ? null : 12_340,
    disappointed: nothing ? null : 217,
    incomplete_days:
      nothing || !earlier
        ? []
        : [1, 2, 3].map((day) => ({ day: `${asked}-0${day}`, counted: 61_200, stored: 0 })),
    worst: nothing
      ? []
      : [
          [5 * MINUTE, 0.4121, 120],
          [HOUR, 0.871, 2_710],
          [DAY, 0.9934, 68_400],
          [7 * DAY, 0.998_71, 471_000],
        ].map(([length_s, share, requests]) => ({
          length_s,
          from: iso(from + 9 * DAY + 5 * HOUR),
          share,
          requests,
        })),
    cut_off_s: 1_800,
    good_minute: 0.95,
    partial: null,
  };
}

export function monthText(query, empty) {
  const found = month(query, empty);
  const rows = ["time", "requests", "users"].map((of) => [
    of,
    found.with_maintenance[of].good,
    found.with_maintenance[of].all,
  ]);
  return query.get("format") === "csv"
    ? `definition,good,all\r\n${rows.map((row) => row.join(",")).join("\r\n")}\r\n`
    : `# ${found.service} ${found.month}\n\n| definition | good | all |\n| --- | ---: | ---: |\n${rows
        .map((row) => `| ${row.join(" | ")} |`)
        .join("\n")}\n`;
}

function record(acted, healed, itself, duplicate, nothing, undecided, more) {
  const firings = acted + healed + itself + duplicate + nothing + undecided;
  return {
    firings,
    told: firings,
    outcomes: {
      acted,
      healed,
      resolved_by_itself: itself,
      duplicate,
      no_action_needed: nothing,
    },
    undecided,
    precision: wilson(acted + healed, acted + healed + itself + nothing),
    median_acknowledge_s: 240,
    flaps: 0,
    off_hours: 0,
    noise_minutes: 0,
    ...more,
  };
}
const WOLF = () =>
  record(1, 0, 3, 0, 9, 2, {
    flaps: 4,
    off_hours: 6,
    noise_minutes: 214,
    median_acknowledge_s: 610,
  });

export function actionability(query, empty) {
  const to = query.get("to") ? Date.parse(query.get("to")) / 1000 : now();
  const from = query.get("from") ? Date.parse(query.get("from")) / 1000 : to - 30 * DAY;
  const one = (rule, kind, found, more = {}) => ({
    rule,
    class: kind,
    configured: true,
    record: found,
    demote: false,
    ...more,
  });
  const week = (person, at, pages, off_hours) => ({
    person,
    week: at,
    pages,
    off_hours,
    over_budget: pages > 2 || off_hours > 1,
  });
  return {
    from: iso(from),
    to: iso(to),
    time_zone: "Asia/Tokyo",
    working_hours: { from: 9, to: 18 },
    page_budget: { per_week: 2, off_hours: 1 },
    rules: empty
      ? []
      : [
          one(
            "shop-burning",
            "alert",
            record(4, 0, 1, 1, 0, 1, { off_hours: 2, noise_minutes: 21 }),
          ),
          one("search-slow", "alert", WOLF(), { demote: true }),
          one("old-disk-rule", "alert", record(0, 0, 2, 0, 6, 0, { noise_minutes: 160 }), {
            configured: false,
            demote: true,
          }),
          one("db-disk", "alert", record(0, 0, 0, 0, 0, 1, { median_acknowledge_s: null })),
          one("checkout-slow", "ticket", record(2, 1, 0, 0, 1, 3, { median_acknowledge_s: null })),
        ],
    people: empty
      ? []
      : [
          week("ann", "2026-11-23", 3, 1),
          week("bob", "2026-11-23", 1, 0),
          week("web-team", "2026-11-16", 5, 4),
          week("ann", "2026-11-16", 2, 1),
        ],
  };
}

const DIFF = `--- a/koshu.yaml
+++ b/koshu.yaml
@@ -14,8 +14,8 @@
   - name: search-slow
     service: demo-shop
     route: GET /search
     signal: latency.p95
     above: 2s
-    class: alert
-    action: "Look at the index; rebuild it if it lags"
+    class: ticket
+    due: 3d
     hold: 5m
`;

/** The status and the body. */
export function demotion(rule) {
  if (rule === "shop-burning")
    return [
      409,
      {
        detail:
          'rule "shop-burning" is written in a way that is not changed by a program; its class stands in an anchor',
      },
    ];
  return [
    200,
    {
      rule,
      file: "koshu.yaml",
      diff: DIFF,
      record: WOLF(),
      replay: {
        from: iso(now() - 30 * DAY),
        to: iso(now()),
        alerts_before: 41,
        alerts_after: 0,
        alerts_fewer: 41,
        incidents: 3,
        missed: 0,
      },
    },
  ];
}

export function replay(body) {
  const to = body.to ? Date.parse(body.to) / 1000 : now();
  const from = body.from ? Date.parse(body.from) / 1000 : to - DAY;
  const whole = to - from;
  // A month takes longer than two minutes.
  const end = whole > 20 * DAY ? from + whole * 0.62 : to;
  const noise = random(23);
  const firing = (rule, kind, series, service, least, most) => {
    const begin = from + noise() * (end - from) * 0.97;
    const length = 60 * Math.ceil(noise() * 40);
    return {
      rule,
      class: kind,
      service,
      series,
      from: iso(begin),
      to: begin + length > end ? null : iso(begin + length),
      value: least + noise() * (most - least),
    };
  };
  const firings = [
    firing("shop-burning", "alert", {}, SHOP, 14.4, 30),
    firing("checkout-slow", "ticket", { route: "POST /checkout" }, SHOP, 800, 1_900),
    ...Array.from({ length: 14 }, () =>
      firing("shop-route-errors", "record", { route: "GET /search" }, SHOP, 0.05, 0.2),
    ),
    firing("host-memory", "record", { host: "web-2" }, null, 0.9, 0.99),
  ];
  return {
    from: iso(from),
    to: iso(end),
    asked_to: iso(to),
    step_s: 60,
    alerts: 1,
    tickets: 1,
    records: 15,
    firings,
    more: 0,
    not_replayed: [
      { rule: "orders-stuck", why: "an SQL query is asked of now, not of the past" },
      { rule: "worker-count", why: "process counts are not stored" },
    ],
  };
}

const YAML = `services:
  shop-api-internal:
    owner: "web-team"
    objectives:
      # 99.9 %: over 21 days 90 of 300000 requests failed; 30 days of this traffic may have 3000 bad ones
      - {name: available, good: "status < 500", target: 99.9, window: 30d}
rules:
  # the only alert: users are failing so fast that the budget of 30 days would be gone within days
  - {name: shop-burning, service: shop-api-internal, objective: available, class: alert, action: "Look at the errors of the last deploy; roll it back if they began with it"}
  # 1500 ms: twice the usual p95 of 700 ms of POST /checkout (50000 requests), rounded up
  - {name: shop-slow-1, service: shop-api-internal, route: "POST /checkout", signal: latency.p95, above: 1500ms, clear_below: 1000ms, hold: 15m, class: ticket, due: 7d}
`;
const REASONS = {
  en: [
    "99.9 %: over 21 days 90 of 300000 requests failed; 30 days of this traffic may have 3000 bad ones",
    "the only alert: users are failing so fast that the budget of 30 days would be gone within days",
    "1500 ms: twice the usual p95 of 700 ms of POST /checkout (50000 requests), rounded up",
  ],
  ja: [
    "99.9 %：21 日間で 300000 件中 90 件が失敗。同じ量なら 30 日で 3000 件まで許されます",
    "唯一のアラート：30 日分の予算が数日で尽きる速さで、利用者が失敗しています",
    "1500 ms：POST /checkout（50000 件）のふだんの p95 は 700 ms。その 2 倍を切り上げ",
  ],
};
let written = new Set();
export function forgetQuality() {
  written = new Set();
}

export function starter(service, query, empty) {
  const to = Math.floor(now() / DAY) * DAY;
  const [from, end] = [iso(to - 30 * DAY), iso(to)];
  if (empty)
    return {
      from,
      to: end,
      yaml: null,
      reasons: [],
      replay: null,
      accept: { possible: false, why: "exists" },
    };
  const owner = query.get("owner") ?? "web-team";
  return {
    from,
    to: end,
    yaml: YAML.replace("web-team", owner),
    reasons: REASONS[query.get("language") ?? "en"],
    replay: { from, to: end, alerts: 0, tickets: 2, records: 11 },
    accept: written.has(service)
      ? { possible: false, why: "exists" }
      : service === "checkout"
        ? { possible: false, why: "no_folder" }
        : { possible: true, file: `starter-${service}.yaml` },
  };
}
export function accept(service) {
  if (written.has(service)) return [409, { detail: `starter-${service}.yaml is there already` }];
  written.add(service);
  return [201, { file: `starter-${service}.yaml` }];
}
