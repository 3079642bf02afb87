// The sources of the mock API. See data.mjs: development only.

import { iso, SERVICES } from "./data.mjs";

const snippet = `log_format koshu escape=json '{"time":"$time_iso8601","method":"$request_method",'
  '"uri":"$request_uri","status":$status,"request_time":$request_time,'
  '"bytes":$body_bytes_sent,"user":"$cookie_sid"}';
access_log /var/log/nginx/access.json koshu;`;

export const followed = new Map();
export function sources(empty) {
  const file = (id, name, state, extra) => ({
    id,
    kind: "file",
    name,
    service: "shop",
    format: "combined",
    state,
    reason: null,
    lines: 0,
    parsed: 0,
    rejected: 0,
    bytes: 0,
    rate_per_s: null,
    last_seen: null,
    lag_bytes: null,
    rejects: [],
    ...extra,
  });
  return {
    sources: empty
      ? []
      : [
          file("1", "the living demonstration", "receiving", {
            kind: "demo",
            service: SERVICES[0],
            format: "combined + time",
            lines: 2_058_341,
            parsed: 2_058_320,
            rejected: 21,
            bytes: 811_000_000,
            rate_per_s: 48.2,
            last_seen: iso(Date.now() / 1000 - 1),
            lag_bytes: 0,
            rejects: [
              {
                reason: "the request line has no method",
                count: 18,
                sample:
                  '203.0.113.9 - - [22/Nov/2026:10:01:11 +0900] "\\x16\\x03\\x01" 400 157 "-" "-"',
              },
              {
                reason: "the time is not a date",
                count: 3,
                sample: '203.0.113.9 - - [-] "GET / HTTP/1.1" 200 12',
              },
            ],
          }),
          file("2", "/var/log/nginx/api.access.log", "idle", {
            service: SERVICES[1],
            lines: 82_330,
            parsed: 82_330,
            bytes: 21_400_000,
            rate_per_s: 0,
            last_seen: iso(Date.now() / 1000 - 3_700),
            lag_bytes: 0,
          }),
          file("3", "/var/log/apache2/access.log", "failed", { reason: "permission denied" }),
        ],
    discovered: [
      {
        path: "/var/log/nginx/access.log",
        size_bytes: 48_220_113,
        readable: true,
        reason: null,
        format: "combined",
        service_suggestion: "shop",
        found_by: "nginx configuration",
        following: followed.has("/var/log/nginx/access.log"),
        older_files: [
          { path: "/var/log/nginx/access.log.1", size_bytes: 51_000_000 },
          { path: "/var/log/nginx/access.log.2.gz", size_bytes: 4_25_000 },
        ],
        sample: { lines: 1000, parsed: 998, rejected: 2 },
      },
      {
        path: "/var/log/apache2/access.log",
        size_bytes: 9_220_113,
        readable: false,
        reason: "permission denied",
        format: null,
        service_suggestion: "web",
        found_by: "well-known folder",
        following: false,
        older_files: [],
        sample: null,
      },
    ],
    limits: [{ name: "routes", service: SERVICES[0], limit: 1000, seen: 12 }],
    snippets: [
      { title: "nginx, JSON with response times", language: "nginx", text: snippet },
      {
        title: "Any log, over HTTP",
        language: "sh",
        text: 'tail -F access.log | curl -T - "http://127.0.0.1:4649/api/v1/ingest/shop?format=combined"',
      },
    ],
  };
}
export const imports = () =>
  [...followed]
    .filter(([, run]) => run.past)
    .map(([path, run]) => {
      const part = Math.min(1, (Date.now() - run.at) / 12_000);
      return {
        id: path,
        path,
        service: run.service,
        state: part < 1 ? "running" : "done",
        bytes_done: Math.round(103e6 * part),
        bytes_total: 103e6,
        lines: Math.round(412_000 * part),
        parsed: Math.round(411_800 * part),
        rejected: Math.round(200 * part),
        already_imported: 0,
        error: null,
      };
    });
