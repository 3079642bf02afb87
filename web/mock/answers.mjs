// What the mock API answers. See data.mjs: development only.

import { curve, iso, logRow, random, ratios, requestRows, SERVICES, times } from "./data.mjs";
import { facets, histogram, logs, schema } from "./records.mjs";
import * as observed from "./observed.mjs";
import * as quality from "./quality.mjs";
import { hosts, imports, sources } from "./sources.mjs";
import { watch } from "./watch.mjs";

/** A question that no record of the mock answers. */
const NOTHING = new URLSearchParams({ q: "nothing" });

const stepFor = (from, to) =>
  [10, 30, 60, 300, 600, 1800, 3600, 10800, 86400].find((step) => (to - from) / step <= 300) ??
  86400;

function service(name, scale, demo, errors) {
  const requests = Math.round(2_058_320 * scale);
  return {
    name,
    demo,
    requests,
    errors,
    ...ratios(errors, requests),
    p95_ms: demo ? 218 : null,
    traffic_per_s: requests / 86_400,
    last_seen: iso(Date.now() / 1000 - 4),
    user_identity: demo ? "cookie sid" : "address and agent (keyed hash)",
    routes: 12,
    routes_limit: 1000,
    routes_over_limit: false,
  };
}
export const services = (empty) =>
  empty
    ? []
    : [
        service(SERVICES[0], 1, true, 913),
        service(SERVICES[1], 0.04, false, 2),
        ...["checkout", "mailer", "unnamed"].map((name) => ({
          ...service(name, 0, false, 0),
          error_ratio: null,
          error_ratio_low: null,
          error_ratio_high: null,
        })),
      ];

/** Half a quarter of an hour ago, for those who look back from far: what pages show at first lies around it. */
const DEPLOYED = Date.now() / 1000 - 315;
const changes = (from, to) =>
  [
    [0.65, "deploy", "deploy a1b2c3", SERVICES[0], "search: new ranking"],
    [0.8, "config", "koshu.yaml reloaded", null, "2 rules changed"],
    [0.4, "service", "first seen: shop-api-internal", SERVICES[1], null],
  ].map(([part, kind, title, name, detail], at) => ({
    id: `c${at}`,
    at: iso(to - from > 20 * 86_400 ? DEPLOYED - at * 7_000 : from + (to - from) * part),
    kind,
    title,
    service: name,
    detail,
  }));

const byHour = (from, to) => {
  const bars = [];
  for (let at = Math.floor(from / 3600) * 3600; at < to; at += 3600) {
    bars.push([at, Math.floor(random(at)() ** 4 * 40)]);
  }
  return bars;
};

function overview(query, empty, many) {
  const { from, to } = times(query);
  const step = stepFor(from, to) * 4;
  const rows = requestRows()
    .sort((a, b) => b.total_ms - a.total_ms)
    .slice(0, 10);
  return {
    services: services(empty).map((each) => ({
      ...each,
      spark:
        each.requests === 0
          ? []
          : curve(from, to, step, ({ noise, burst }) => 1 - noise * 0.001 - burst * 0.02),
    })),
    disappointed: empty
      ? []
      : [
          {
            service: SERVICES[0],
            users: 642,
            recovered: 471,
            still_disappointed: 171,
            unknown_users: 0,
            worst: { route: "POST /checkout", users: 121 },
            by_hour: byHour(from, to),
          },
          {
            service: SERVICES[1],
            ...(many
              ? { users: 96, recovered: 12, still_disappointed: 84, unknown_users: 14 }
              : { users: 0, recovered: 0, still_disappointed: 0, unknown_users: 0 }),
            worst: many ? { route: "GET /api/v2/recommendations", users: 90 } : null,
            by_hour: many ? byHour(from - 3_600, to) : [],
          },
          ...(many
            ? [
                {
                  service: "mailer",
                  users: 0,
                  recovered: 0,
                  still_disappointed: 0,
                  unknown_users: 31,
                  worst: null,
                  by_hour: [],
                },
              ]
            : []),
        ],
    top_requests: empty
      ? []
      : rows.map((row, at) => ({
          service: at === 6 ? SERVICES[1] : SERVICES[0],
          ...row,
          previous_p95_ms: at === 3 ? null : row.p95_ms * (at === 0 ? 0.6 : 0.97),
          previous_total_ms: at === 3 ? null : row.total_ms * (at === 0 ? 0.7 : 1.02),
        })),
    near_full: [
      {
        host: "db-1",
        kind: "disk",
        name: "/var/lib/mysql",
        used_ratio: 0.82,
        full_in_days: 9.1,
        detail: "grows 3.1 GiB a day",
      },
      {
        host: "web-2",
        kind: "memory",
        name: "",
        used_ratio: 0.91,
        full_in_days: null,
        detail: null,
      },
      {
        host: "web-1",
        kind: "lake",
        name: "20 GiB budget",
        used_ratio: 0.34,
        full_in_days: 61,
        detail: null,
      },
    ],
    changes: empty ? [] : changes(from, to),
    damage: [],
    demo: !empty,
  };
}

function signals(name, query, empty, dense) {
  const { from, to } = times(query);
  const step = dense ? (to - from) / 25_000 : stepFor(from, to);
  const none = empty || to < Date.now() / 1000 - 20 * 86_400;
  const part = query.get("route") ? 0.1 : 1;
  const make = (value) => (none ? [] : curve(from, to, step, value));
  const before = to <= DEPLOYED;
  const requests = none ? 0 : Math.round(2_058_320 * part);
  const errors = none ? 0 : Math.round((before ? 611 : 913) * part);
  return {
    service: name,
    from: iso(from),
    to: iso(to),
    step_s: step,
    quantile_error: 0.01,
    series: {
      latency_p50_ms: make(({ noise, late }) => 38 + noise * 4 + late * 12),
      latency_p95_ms: make(({ noise, late, burst }) => 180 + noise * 30 + late * 140 + burst * 900),
      latency_p99_ms: make(
        ({ noise, late, burst }) => 620 + noise * 220 + late * 300 + burst * 2600,
      ),
      traffic_per_s: make(({ noise, daily }) => (24 * daily + noise * 2) * part),
      error_ratio: make(({ noise, burst }) =>
        burst ? 0.021 + noise * 0.01 : noise < 0.4 ? 0 : noise * 0.0008,
      ),
      saturation: {
        cpu: make(({ noise, daily }) => 0.2 + daily * 0.3 + noise * 0.06),
        memory: make(({ noise }) => 0.62 + noise * 0.02),
        disk: make(() => 0.41),
        network: make(({ daily }) => daily * 0.08),
        pressure_cpu: make(({ noise }) => noise * 0.03),
        pressure_memory: make(() => 0),
        pressure_io: make(({ noise, burst }) => noise * 0.02 + burst * 0.2),
      },
    },
    total: {
      requests,
      errors,
      ...ratios(errors, requests),
      timed: requests,
      p50_ms: none ? null : before ? 37 : 41,
      p95_ms: none ? null : before ? 88 : 218,
      p99_ms: none ? null : before ? 410 : 1_060,
    },
    saturation_host: none ? null : "web-1",
  };
}

function requests(name, query, many, empty) {
  const { from, to } = times(query);
  const rows = empty ? [] : requestRows();
  const all = many
    ? Array.from({ length: 800 }, (_, at) => ({
        ...rows[at % rows.length],
        route: `${rows[at % rows.length].route}/${at}`,
      }))
    : rows;
  const total = { count: 0, errors: 0, total_ms: 0 };
  for (const row of all) {
    total.count += row.count;
    total.errors += row.errors;
    total.total_ms += row.total_ms;
  }
  return { service: name, from: iso(from), to: iso(to), quantile_error: 0.01, total, rows: all };
}

/** On the days before half as many. The second service's errors name nobody. */
function disappointed(name, query, empty) {
  const { from, to } = times(query);
  const nobody = empty || name === SERVICES[1];
  const routes = nobody
    ? []
    : [
        ["POST /checkout", 121, 70],
        ["GET /search", 118, 104],
        ["GET /api/v2/recommendations", 97, 90],
        ["GET /reports/:date", 9, 0],
      ];
  const days = Math.max(1, Math.min(7, Math.round((to - from) / 86_400)));
  const rows = Array.from({ length: days }, (_, back) =>
    routes.map(([route, users, recovered]) => {
      const part = back === 0 ? 1 : 0.5;
      const [all, well] = [Math.ceil(users * part), Math.floor(recovered * part)];
      return {
        day: iso(to - back * 86_400).slice(0, 10),
        route,
        users: all,
        recovered: well,
        still_disappointed: all - well,
      };
    }),
  ).flat();
  return {
    service: name,
    identity: "cookie sid",
    identity_kind: "cookie",
    window_s: 600,
    users: nobody ? 0 : 642,
    recovered: nobody ? 0 : 471,
    still_disappointed: nobody ? 0 : 171,
    unknown_users: empty ? 0 : nobody ? 31 : 0,
    partial: null,
    rows,
    by_route: routes.map(([route, users]) => [route, Math.round(users * (1 + (days - 1) * 0.3))]),
    by_hour: nobody ? [] : byHour(from, to),
  };
}

function route(query, empty) {
  const { from, to } = times(query);
  const bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000];
  const step = stepFor(from, to) * 2;
  const cells = [];
  for (let at = Math.ceil(from / step) * step; at < to && !empty; at += step) {
    const next = random(at);
    const slow = to <= DEPLOYED ? -1 : (to - at) / (to - from) < 0.35 || from >= DEPLOYED ? 1 : 0;
    cells.push([
      at,
      bounds.map((_, band) =>
        Math.floor(
          900 * Math.exp(-((band - 5 - slow) ** 2) / 2.2) * next() +
            (band > 8 ? next() ** 8 * 6 : 0),
        ),
      ),
    ]);
  }
  const sample = (at) => {
    const row = logRow(to - at * 631, at);
    const [method, path] = (query.get("route") ?? "GET /").split(" ");
    return {
      ...row,
      method,
      path: (path ?? "/").replace(":id", "4711"),
      user_agent: "Mozilla/5.0",
    };
  };
  const list = Array.from({ length: empty ? 0 : 20 }, (_, at) => sample(at));
  return {
    route: query.get("route"),
    slowest: list.map((row, at) => ({ ...row, duration_ms: 9_400 - at * 310 })),
    failed: list.map((row, at) => ({ ...row, status: at % 3 ? 502 : 500 })),
    heatmap: { step_s: step, bounds_ms: bounds, cells },
  };
}

const status = () => ({
  memory: { used_bytes: 212_000_000, budget_bytes: 1_073_741_824 },
  disk: { used_bytes: 6_900_000_000, budget_bytes: 21_474_836_480, free_bytes: 88_000_000_000 },
  journal: { bytes: 8_400_000, segments: 1, oldest_unsealed: iso(Date.now() / 1000 - 12) },
  damage: [],
  listeners: { http: "127.0.0.1:4649" },
  started_at: iso(Date.now() / 1000 - 90_000),
  host: "web-1",
});

/** The answer to a GET, or null when the mock knows none. */
export function answer(path, query, { empty, many, dense }) {
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (parts[0] === "services" && parts[1]) {
    const found = {
      signals: () => signals(parts[1], query, empty, dense),
      requests: () => requests(parts[1], query, many, empty),
      disappointed: () => disappointed(parts[1], query, empty),
      route: () => route(query, empty),
      starter: () => quality.starter(parts[1], query, empty),
    }[parts[2]];
    return found ? found() : null;
  }
  const watched = watch(path, query, { empty, many });
  if (watched) return watched;
  const { from, to } = times(query);
  if (parts[0] === "errors" && parts[1]) return observed.errorGroup(parts[1], query, empty);
  if (parts[0] === "traces" && parts[1]) return observed.trace(parts[1], empty, many);
  const plain = {
    "/report/month": () => quality.month(query, empty),
    "/actionability": () => quality.actionability(query, empty),
    "/errors": () => observed.errors(query, empty),
    "/traces": () => observed.traces(query, empty),
    "/metrics": () => observed.metrics(empty, many),
    "/metrics/series": () => observed.metricSeries(query),
    "/loglines": () => observed.logLines(query, empty),
    "/loglines/patterns": () => observed.linePatterns(query, empty),
    "/overview": () => overview(query, empty, many),
    "/services": () => ({ services: services(empty) }),
    "/changes": () => ({ changes: empty ? [] : changes(from, to) }),
    "/logs": () => (empty ? logs(NOTHING) : logs(query)),
    "/logs/histogram": () => histogram(empty ? NOTHING : query),
    "/logs/facets": () => facets(empty ? NOTHING : query),
    "/sources": () => sources(empty, many),
    "/hosts": () => hosts(empty, many),
    "/imports": () => ({ imports: imports() }),
    "/status": status,
    "/schema": () => schema,
    "/listeners": () => ({ listeners: status().listeners }),
    "/tokens": () => ({
      tokens: [
        {
          id: "t1",
          name: "nginx on web-1",
          scope: "ingest",
          created_at: iso(Date.now() / 1000 - 864_000),
          last_used_at: iso(Date.now() / 1000 - 4),
          prefix: "koshu_ab12",
        },
        {
          id: "t0",
          name: "web-2",
          scope: "agent",
          created_at: iso(Date.now() / 1000 - 864_000),
          last_used_at: iso(Date.now() / 1000 - 7),
          prefix: "koshu_ef56",
        },
      ],
    }),
  }[path];
  return plain ? plain() : null;
}
