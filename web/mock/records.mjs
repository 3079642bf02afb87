// The records and SQL of the mock API. See data.mjs: development only.

import { logRow, random, requestRows, times } from "./data.mjs";

export function logs(query) {
  const { from, to } = times(query);
  if ((query.get("q") ?? "").includes("nothing"))
    return { rows: [], next_cursor: null, matched: 0, partial: null };
  const start = Number(query.get("cursor") ?? "0");
  const rows = [];
  for (let at = start; at < start + 200 && to - at * 0.7 > from; at += 1)
    rows.push(logRow(to - at * 0.7, at));
  const q = query.get("q") ?? "";
  const kept = q.includes("status>=500")
    ? rows.map((row, at) => ({ ...row, status: at % 2 ? 502 : 500 }))
    : rows;
  return {
    rows: kept,
    next_cursor: start < 4000 ? String(start + 200) : null,
    matched: 123_456,
    partial: null,
  };
}

/** Counts of the values among made-up rows, scaled up to a whole range. */
export function facets(query) {
  const field = query.get("field") ?? "status";
  const counts = new Map();
  for (const row of logs(query).rows) {
    const value = row[field] ?? row.attrs[field];
    if (value !== null && value !== undefined)
      counts.set(String(value), (counts.get(String(value)) ?? 0) + 287);
  }
  const values = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return { field, values: values.slice(0, Number(query.get("limit") ?? "10")) };
}

export function histogram(query) {
  const { from, to } = times(query);
  if ((query.get("q") ?? "").includes("nothing")) return { step_s: 60, bars: [], total: 0 };
  const step = Math.max(1, Math.round((to - from) / 120));
  const bars = [];
  let total = 0;
  for (let at = Math.floor(from); at < to; at += step) {
    const next = random(at);
    const ok = Math.round(400 + next() * 200);
    const bad = Math.round(next() ** 6 * 60);
    bars.push([at, ok, Math.round(next() * 30), bad]);
    total += ok + bad;
  }
  return { step_s: step, bars, total };
}

export function sql(body) {
  const rows = requestRows().map((row) => [row.route, row.count, row.errors, row.p95_ms]);
  return {
    columns: [
      { name: "route", type: "Utf8" },
      { name: "requests", type: "Int64" },
      { name: "errors", type: "Int64" },
      { name: "p95_ms", type: "Float64" },
    ],
    rows: /limit 5000/i.test(body.sql)
      ? Array.from({ length: 1000 }, (_, at) => rows[at % rows.length])
      : rows,
    stats: {
      elapsed_ms: 84,
      rows: rows.length,
      truncated: false,
      scanned_rows: 2_058_320,
      scanned_bytes: 48_220_113,
      from: body.from,
      to: body.to,
      damaged_files: [],
    },
  };
}

export const schema = {
  tables: [
    {
      name: "requests",
      columns: [
        "ts timestamp",
        "service varchar",
        "host varchar",
        "method varchar",
        "route varchar",
        "path varchar",
        "status smallint",
        "duration_us bigint",
        "bytes bigint",
        "user_key varchar",
        "trace_id varchar",
        "source varchar",
        "attrs map",
      ].map((each) => ({ name: each.split(" ")[0], type: each.split(" ")[1] })),
    },
    {
      name: "rollup_1m",
      columns: [
        { name: "minute", type: "timestamp" },
        { name: "route", type: "varchar" },
        { name: "count", type: "bigint" },
      ],
    },
  ],
};
