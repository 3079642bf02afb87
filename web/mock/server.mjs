// A mock of the HTTP API with made-up data, for development only: it serves dist/ with the very
// Content-Security-Policy of the real server, so that pages can be looked at without one.
//
//   node mock/server.mjs [--port N] [--scenario normal|empty|failing|slow|many|dense|signed-out]

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./answers.mjs";
import { decide, forgetDecisions } from "./observed.mjs";
import { sql } from "./records.mjs";
import { door, followed, forgotten } from "./sources.mjs";
import { act, forgetWatch } from "./watch.mjs";
import * as quality from "./quality.mjs";
import { logRow } from "./data.mjs";

const option = (name, other) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? other : process.argv[at + 1];
};
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
let scenario = option("scenario", "normal");
let signedIn = scenario !== "signed-out";
let passwordSet = scenario !== "signed-out";
let demo = true;

function json(response, code, body, headers = {}) {
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}
function problem(response, code, detail, more = {}, headers = {}) {
  const body = { type: "about:blank", title: "Problem", status: code, detail, ...more };
  json(response, code, body, { "content-type": "application/problem+json", ...headers });
}
const answered = (response, [code, body]) =>
  code < 400 ? json(response, code, body) : problem(response, code, body.detail);
async function bodyOf(request) {
  let text = "";
  for await (const part of request) text += part;
  return text === "" ? {} : JSON.parse(text);
}

function tail(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let index = 0;
  const timer = setInterval(() => {
    for (let n = 0; n < 5; n += 1) {
      index += 1;
      response.write(
        `event: row\ndata: ${JSON.stringify(logRow(Date.now() / 1000 + n / 1000, index))}\n\n`,
      );
    }
    if (index === 50) response.write('event: dropped\ndata: {"count":3}\n\n');
    if (index === 150) {
      clearInterval(timer);
      response.end();
    }
  }, 200);
  response.on("close", () => clearInterval(timer));
}

async function change(request, response, path) {
  const body = await bodyOf(request);
  const done = act(request.method, path, body);
  if (done) return json(response, ...done);
  const starter = /^\/services\/([^/]+)\/starter\/accept$/.exec(path);
  if (starter) return answered(response, quality.accept(decodeURIComponent(starter[1])));
  switch (`${request.method} ${path}`) {
    case "POST /rules/replay":
      await new Promise((done) => setTimeout(done, 1_500));
      return json(response, 200, quality.replay(body));
    case "POST /session":
      signedIn = body.password === "correct horse battery";
      return signedIn
        ? json(response, 200, { user: "admin" })
        : problem(response, 401, "wrong user or password");
    case "POST /session/link":
      if (body.secret === "used") return problem(response, 401, "the link was used");
      signedIn = true;
      return json(response, 200, { user: "admin", password_set: passwordSet });
    case "POST /session/password":
      passwordSet = true;
      return json(response, 204);
    case "DELETE /session":
      signedIn = false;
      return json(response, 204);
    case "POST /tokens":
      door.open = false;
      return json(response, 201, { id: "t2", token: "koshu_cd34_2xqk7f9s8d7f6g5h4j3k2l1" });
    case "POST /sources/follow":
      followed.set(body.path, {
        service: body.service,
        past: body.import_past,
        already: body.path.includes("/api.") ? 21_400_000 : 0,
        at: Date.now(),
      });
      return json(response, 202, { following: true, imports: body.import_past ? ["1"] : [] });
    case "POST /sql":
      if (/bad/.test(body.sql))
        return problem(response, 400, "Schema error: No field named bad. Did you mean 'bytes'?");
      return json(response, 200, sql(body));
    default:
      if (/^\/errors\/[^/]+\/state$/.test(path))
        return json(response, 200, decide(decodeURIComponent(path.split("/")[2]), body.state));
      if (request.method === "DELETE" && path.startsWith("/hosts/")) {
        forgotten.add(decodeURIComponent(path.split("/")[2]));
        return json(response, 204);
      }
      if (request.method === "DELETE" && path.startsWith("/services/")) {
        demo = false;
        scenario = "empty";
        return json(response, 202, { deleting: true });
      }
      return json(response, 204);
  }
}

async function api(request, response, url) {
  const path = url.pathname.slice("/api/v1".length);
  if (path === "/session" && request.method === "GET") {
    return json(response, 200, {
      signed_in: signedIn,
      user: signedIn ? "admin" : null,
      password_set: passwordSet,
      demo,
      version: "0.1.0",
      time_zone: "Asia/Tokyo",
      hostname: "web-1",
    });
  }
  if (path.startsWith("/mock/scenario/")) {
    scenario = path.slice("/mock/scenario/".length);
    signedIn = scenario !== "signed-out";
    passwordSet = signedIn;
    followed.clear();
    forgotten.clear();
    door.open = true;
    forgetDecisions();
    forgetWatch();
    quality.forgetQuality();
    return json(response, 204);
  }
  if (request.method !== "GET") return change(request, response, path);
  if (!signedIn) return problem(response, 401, "sign in first");
  if (scenario === "slow") await new Promise((done) => setTimeout(done, 3000));
  if (scenario === "failing")
    return problem(response, 500, "failed to read the lake: segment 42 is locked");
  if (path === "/logs/tail") return tail(response);
  const q = url.searchParams.get("q") ?? "";
  if (q.includes("(("))
    return problem(response, 400, "a parenthesis is not closed at column 2", { position: 1 });
  const empty = scenario === "empty";
  if (path === "/report/month" && url.searchParams.has("format")) {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    return response.end(quality.monthText(url.searchParams, empty));
  }
  const demoted = /^\/rules\/([^/]+)\/demotion$/.exec(path);
  if (demoted) return answered(response, quality.demotion(decodeURIComponent(demoted[1])));
  const found = answer(path, url.searchParams, {
    empty,
    many: scenario === "many",
    dense: scenario === "dense",
  });
  return found ? json(response, 200, found) : problem(response, 404, `no such path: ${path}`);
}

async function page(response, url) {
  const wanted = normalize(join(dist, url.pathname));
  const file =
    wanted.startsWith(dist) && extname(wanted) !== "" ? wanted : join(dist, "index.html");
  const body = await readFile(file).catch(() => readFile(join(dist, "index.html")));
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-security-policy": CSP,
  });
  response.end(body);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const work = url.pathname.startsWith("/api/v1/")
    ? api(request, response, url)
    : page(response, url);
  work.catch((cause) => problem(response, 500, String(cause)));
});
server.listen(Number(option("port", "4650")), "127.0.0.1", () => {
  console.log(`mock API on http://127.0.0.1:${server.address().port} (scenario ${scenario})`);
});
