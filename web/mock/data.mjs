// Deterministic data for the mock API. Only for development and for looking at pages: nothing of
// this is shipped, and no test of the server may use it.

/** A small repeatable random generator (mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const ROUTES = [
  ["GET /items/:id", 412_000, 38, 142, 410, 0.0004],
  ["GET /", 310_400, 21, 64, 180, 0.0001],
  ["GET /search", 88_300, 180, 920, 2_700, 0.0021],
  ["POST /cart", 41_200, 44, 160, 520, 0.0012],
  ["GET /items", 120_000, 52, 190, 600, 0.0003],
  ["POST /checkout", 9_840, 320, 1_840, 4_900, 0.0175],
  ["GET /orders/:id", 17_600, 61, 240, 700, 0.0008],
  ["GET /api/v2/recommendations", 64_100, 95, 610, 1_400, 0.0031],
  ["POST /login", 12_400, 210, 380, 640, 0.0005],
  ["GET /assets/:file", 980_000, 1.2, 4.1, 12, 0],
  ["GET /account/addresses/:id/edit", 2_300, 74, 260, 810, 0.0004],
  ["GET /reports/:date", 180, 4_200, 18_400, 29_000, 0.05],
];

export const SERVICES = ["demo-shop", "shop-api-internal"];

const wilson = (k, n) => {
  if (n === 0) return [null, null];
  const z = 1.96;
  const p = k / n;
  const d = 1 + (z * z) / n;
  const m = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, (p + (z * z) / (2 * n) - m) / d), (p + (z * z) / (2 * n) + m) / d];
};

export function ratios(errors, count) {
  const [low, high] = wilson(errors, count);
  return {
    error_ratio: count === 0 ? null : errors / count,
    error_ratio_low: low,
    error_ratio_high: high,
  };
}

export function requestRows(scale = 1) {
  const rows = ROUTES.map(([route, n, p50, p95, p99, ratio], at) => {
    const count = Math.round(n * scale);
    const errors = Math.round(count * ratio);
    const mean = p50 * 0.7 + p95 * 0.25;
    return {
      route,
      count,
      errors,
      ...ratios(errors, count),
      total_ms: count * mean,
      mean_ms: mean,
      p50_ms: p50,
      p95_ms: p95,
      p99_ms: p99,
      users: Math.round(count / 9),
      disappointed: Math.ceil(errors * 0.7),
      at,
    };
  });
  const total = rows.reduce((sum, row) => sum + row.total_ms, 0);
  return rows.map((row) => ({ ...row, share: row.total_ms / total }));
}

/** A day's curve with a burst, a gap in which nothing was observed, and noise. */
export function curve(from, to, step, make) {
  const points = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    const since = (to - at) / (to - from);
    const hour = (at / 3600) % 24;
    const daily = 0.6 + 0.4 * Math.sin(((hour - 9 + 9) / 24) * 2 * Math.PI);
    const noise = random(Math.round(at) ^ 77)();
    const gap = since > 0.62 && since < 0.66;
    const burst = since > 0.2 && since < 0.23 ? 1 : 0;
    points.push([at, gap ? null : make({ daily, noise, burst, late: since < 0.35 ? 1 : 0 })]);
  }
  return points;
}

const AGENTS = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141",
];
const hex = (next, length) =>
  Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join("");

export function logRow(seconds, index) {
  const next = random((Math.round(seconds * 10) ^ (index * 2654435761)) >>> 0);
  const [route, , p50, p95] = ROUTES[Math.floor(next() * ROUTES.length)];
  const [method, pattern] = route.split(" ");
  const path = pattern
    .replace(":id", String(Math.floor(next() * 90_000)))
    .replace(":file", `app-${hex(next, 8)}.js`)
    .replace(":date", "2026-11-21");
  const dice = next();
  const status = dice < 0.03 ? 502 : dice < 0.06 ? 500 : dice < 0.12 ? 404 : dice < 0.2 ? 302 : 200;
  return {
    id: `${Math.round(seconds * 1000)}-${index}`,
    ts: new Date(seconds * 1000).toISOString(),
    service: SERVICES[0],
    host: index % 3 === 0 ? "web-2" : "web-1",
    method,
    route,
    path: index % 17 === 0 ? `${path}?q=%E3%81%8A%E8%8C%B6&sort=price` : path,
    status,
    duration_ms: Math.round((p50 + next() ** 6 * p95 * 2) * 10) / 10,
    bytes: Math.floor(next() * 48_000),
    user_key: hex(next, 16),
    trace_id: index % 4 === 0 ? hex(next, 32) : null,
    source: "/var/log/nginx/access.log",
    attrs: {
      user_agent: AGENTS[index % 2],
      upstream: "10.0.3.12:8080",
      referer: index % 5 === 0 ? 'https://shop.example/search?q="<b>tea</b>"' : "-",
    },
  };
}

export const iso = (seconds) => new Date(seconds * 1000).toISOString();
export const times = (query) => {
  const now = Date.now() / 1000;
  const read = (name, other) => (query.get(name) ? Date.parse(query.get(name)) / 1000 : other);
  return { from: read("from", now - 3600), to: read("to", now) };
};
