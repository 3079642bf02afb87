// The sources of the mock API. See data.mjs: development only.

import { iso, SERVICES } from "./data.mjs";

/** As the server's own, of each kind one or two; with a token once one was made. */
function snippets(token) {
  const bearer = token ? "-H 'Authorization: Bearer YOUR_INGEST_TOKEN' " : "";
  const guard = token ? "token" : "no_token_yet";
  const http = { listener: "http", reach: "here", guard };
  const port = (listener, reach = "here") => ({ listener, reach, guard: "port" });
  const local = { listener: null, reach: "no_address", guard: "local" };
  const of = (key, group, language, text, more) => ({ key, group, language, text, ...more });
  return [
    of(
      "nginx-json",
      "access",
      "nginx",
      `log_format koshu escape=json '{"time":"$time_iso8601","method":"$request_method","uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"request_time":$request_time,"remote_addr":"$remote_addr","user_agent":"$http_user_agent","host":"$host","request_id":"$request_id"}';
access_log /var/log/nginx/access.log koshu;\n`,
      local,
    ),
    of(
      "nginx-syslog",
      "access",
      "nginx",
      "access_log syslog:server=127.0.0.1:5514,tag=nginx combined;\n",
      port("syslog"),
    ),
    of(
      "past-logs",
      "access",
      "sh",
      "koshu import --service shop /var/log/nginx/access.log*\n",
      local,
    ),
    of(
      "curl-lines",
      "access",
      "sh",
      `curl ${bearer}--data-binary @access.log 'http://127.0.0.1:4649/api/v1/ingest/shop?format=combined'\n`,
      http,
    ),
    of(
      "curl-record",
      "access",
      "sh",
      `curl ${bearer}--data-binary '{"time":"'$(date -Is)'","method":"GET","uri":"/","status":200}' http://127.0.0.1:4649/api/v1/ingest/shop\n`,
      http,
    ),
    of(
      "agent",
      "hosts",
      "sh",
      "# Koshu:\nkoshu token create --name web-1 --scope agent > web-1.token\n# web-1:\nkoshu-agent --server http://127.0.0.1:4649 --token-file web-1.token\n",
      { ...http, guard: "own_token" },
    ),
    of(
      "agent-systemd",
      "hosts",
      "ini",
      "# /etc/systemd/system/koshu-agent.service:\n[Service]\nUser=koshu-agent\nExecStart=/usr/local/bin/koshu-agent --server http://127.0.0.1:4649 --token-file /etc/koshu-agent/token\n",
      { ...http, guard: "own_token" },
    ),
    of(
      "fluentd",
      "shippers",
      "conf",
      "<match **>\n  @type forward\n  require_ack_response true\n  <server>\n    host 127.0.0.1\n    port 24224\n  </server>\n</match>\n",
      port("forward"),
    ),
    ...["fluent-bit", "vector", "filebeat", "promtail", "alloy", "rsyslog"].map((key) =>
      of(key, "shippers", "conf", `# ${key}\n`, http),
    ),
    ...["otel-sdk", "otel-collector", "sentry"].map((key) =>
      of(key, "telemetry", "sh", `# ${key} ${bearer}\n`, http),
    ),
    of("prometheus", "metrics", "yaml", `# prometheus ${bearer}\n`, http),
    of("alertmanager", "metrics", "yaml", `# alertmanager ${bearer}\n`, http),
    of(
      "prometheus-scrape",
      "metrics",
      "yaml",
      'scrape_configs:\n  - job_name: koshu\n    static_configs: [{targets: ["127.0.0.1:4649"]}]\n    authorization: {credentials: YOUR_READ_TOKEN}\n',
      { ...http, guard: "token" },
    ),
    of(
      "statsd",
      "metrics",
      "sh",
      "echo 'shop.orders:1|c' | nc -u -w0 127.0.0.1 8125\n",
      port("statsd", "off"),
    ),
    of(
      "heartbeat",
      "jobs",
      "cron",
      `0 3 * * * /usr/local/bin/backup; curl -fsS -m 10 ${bearer}http://127.0.0.1:4649/ping/nightly-backup/$?\n`,
      http,
    ),
    of(
      "github-webhook",
      "jobs",
      "yaml",
      "# Payload URL: http://127.0.0.1:4649/api/v1/webhooks/github\nserver: {intake: {github_secret_file: /etc/koshu/github-secret}}\n",
      { ...http, guard: "signature" },
    ),
    of("deploy", "jobs", "sh", `# deploy ${bearer}\n`, http),
    of("github-actions", "jobs", "yaml", `# github-actions\n`, http),
  ];
}

/** Whether a token was made since the scenario began. */
export const door = { open: true };
export const followed = new Map();
export function sources(empty, many) {
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
    clock_skew_s: null,
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
                reason: "no_request",
                count: 18,
                sample:
                  '203.0.113.9 - - [22/Nov/2026:10:01:11 +0900] "\\x16\\x03\\x01" 400 157 "-" "-"',
              },
              {
                reason: "bad_time",
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
          file("4", "opentelemetry-python at 192.0.2.17", "receiving", {
            kind: "otlp",
            service: "checkout",
            format: null,
            lines: 41_200,
            parsed: 41_200,
            bytes: 9_400_000,
            rate_per_s: 3.1,
            last_seen: iso(Date.now() / 1000 - 3),
            clock_skew_s: -243,
          }),
          file("5", "fluent-bit at 192.0.2.18", "receiving", {
            kind: "forward",
            service: SERVICES[1],
            format: null,
            lines: 9_120,
            parsed: 9_118,
            rejected: 2,
            bytes: 1_400_000,
            rate_per_s: 0.4,
            last_seen: iso(Date.now() / 1000 - 9),
            clock_skew_s: 9 * 3600 - 4,
            rejects: [{ reason: "not_a_map", count: 2, sample: "nil" }],
          }),
          file("6", "nightly-backup", "idle", {
            kind: "heartbeat",
            service: "unnamed",
            format: null,
            lines: 1,
            parsed: 1,
            bytes: 0,
            rate_per_s: 0,
            last_seen: iso(Date.now() / 1000 - 22_000),
          }),
          ...(many ? crowd(file) : []),
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
        path: "/var/log/nginx/api.access.log",
        size_bytes: 21_400_000,
        readable: true,
        reason: null,
        format: "combined",
        service_suggestion: "api",
        found_by: "nginx configuration",
        following: true,
        older_files: [{ path: "/var/log/nginx/api.access.log.1.gz", size_bytes: 3_300_000 }],
        sample: { lines: 1000, parsed: 1000, rejected: 0 },
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
    limits: empty
      ? []
      : [
          ["routes", SERVICES[0], null, 1000, 5_012],
          ["series", "checkout", null, 50_000, 81_220],
          ["fields", SERVICES[1], "fluent-bit at 192.0.2.18", 128, 1],
        ].map(([name, service, source, limit, affected], at) => ({
          name,
          service,
          source,
          limit,
          affected,
          since: iso(Date.now() / 1000 - 9_000 + at * 600),
        })),
    snippets: snippets(!door.open),
    open: door.open,
  };
}

/** Thirty more senders. */
const crowd = (file) =>
  Array.from({ length: 30 }, (_, at) =>
    file(`many-${at}`, `/var/log/nginx/${at}.example.access.log`, at % 7 ? "receiving" : "idle", {
      service: `site-${at}`,
      lines: 1000 * (at + 1),
      parsed: 1000 * (at + 1),
      bytes: 120_000 * (30 - at),
      rate_per_s: (at * 7) % 11,
      last_seen: iso(Date.now() / 1000 - ((at * 13) % 50)),
      lag_bytes: 0,
    }),
  );

/** Hosts that were forgotten since the scenario began. */
export const forgotten = new Set();
export function hosts(empty, many) {
  const host = (name, liveness, ago, more) => ({
    name,
    version: "0.1.0",
    reach: "192.0.2.17:22",
    first_seen: iso(Date.now() / 1000 - 864_000),
    last_seen: iso(Date.now() / 1000 - ago),
    liveness,
    since: iso(Date.now() / 1000 - (liveness === "alive" ? 864_000 : ago - 30)),
    reached_by: ["server", "db-1", "web-2", "web-3", "web-4"].filter((each) => each !== name),
    reasons: [{ reason: "heard", ago: `${ago}s` }],
    skew_ms: 41,
    checks: 2,
    files: [
      {
        path: "/var/log/nginx/access.log",
        service: SERVICES[0],
        problem: null,
        lag_bytes: 18_200,
      },
    ],
    ...more,
  });
  const silent = (since) => ({ reason: "silent", since });
  const tcp = (outcome) => ({ reason: "probe", kind: "tcp", outcome });
  const all = [
    host("db-1", "alive", 4, { checks: 0, files: [], reached_by: [] }),
    host("web-2", "alive", 7, {
      skew_ms: -4_300,
      files: [
        { path: "/var/log/nginx/access.log", service: SERVICES[0], problem: null, lag_bytes: 0 },
        {
          path: "/var/log/apache2/access.log",
          service: "wiki",
          problem: "permission denied",
          lag_bytes: 9_220_113,
        },
      ],
    }),
    host("web-3", "host_gone", 340, {
      reasons: [
        silent("340s"),
        tcp("timed_out"),
        { reason: "probe", kind: "icmp", outcome: "not_tried" },
        { reason: "peer", host: "web-2", outcome: "unreachable" },
      ],
    }),
    host("web-4", "agent_gone", 95, { reasons: [silent("95s"), tcp("refused")] }),
    host("osaka-1", "network_cut", 130, {
      reasons: [
        silent("130s"),
        tcp("timed_out"),
        { reason: "peer", host: "web-2", outcome: "answered" },
      ],
    }),
    host("tokyo-1", "unknown", 9_000, {
      skew_ms: null,
      version: "",
      reasons: [silent("150m"), tcp("timed_out"), { reason: "no_other_witness" }],
    }),
    ...Array.from({ length: many ? 300 : 0 }, (_, at) => host(`node-${at}`, "alive", 5)),
  ];
  return {
    hosts: empty ? [] : all.filter((each) => !forgotten.has(each.name)),
    server_host: "koshu-1",
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
        already_imported: run.already,
        error: null,
      };
    });
