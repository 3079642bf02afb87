// Opens every page of dist/ against the mock API in headless Chromium, under the real
// Content-Security-Policy: keeps a picture of each, and fails on a violation of the policy, an
// error in the console, horizontal scrolling or (with --axe) any finding of axe.
//
//   node scripts/look.mjs [--axe] [--only NAME] [--out DIR]
//   CHROMIUM=/path/to/chromium overrides the browser.

import AxeBuilder from "@axe-core/playwright";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? null : process.argv[at + 1];
};
const out = option("out") ?? fileURLToPath(new URL("../shots", import.meta.url));
const withAxe = process.argv.includes("--axe");
const PORT = 4700 + (process.pid % 200);
const BASE = `http://127.0.0.1:${PORT}`;

const route = encodeURIComponent("GET /search");
const PATTERN = "payment refused by bank <*> for order <n>";
const PAGES = [
  ["home", "/"],
  ["home-many", "/?range=24h", null, "many"],
  ["service", "/services/demo-shop"],
  ["service-errors", "/services/demo-shop?sort=errors"],
  ["route", `/services/demo-shop/route?route=${route}`],
  [
    "route-week",
    `/services/demo-shop/route?route=${encodeURIComponent("POST /checkout")}&range=7d`,
  ],
  ["route-nameless", `/services/shop-api-internal/route?route=${route}&change=c1`],
  [
    "service-marks",
    "/services/demo-shop",
    async (page) => {
      await page.locator("button[data-mark]").first().click();
      await page.waitForTimeout(100);
    },
  ],
  [
    "route-mark",
    `/services/demo-shop/route?route=${route}`,
    (page) => page.locator("[data-mark=change]").first().focus(),
  ],
  ["service-marks-many", "/services/demo-shop?range=30d", null, "many"],
  ["explorer", "/explorer"],
  [
    "explorer-record",
    "/explorer?q=status%3E%3D500&service=demo-shop",
    (page) => page.locator("[data-row] [data-primary]").nth(3).click(),
  ],
  [
    "explorer-filter",
    "/explorer",
    async (page) => {
      await page.locator("input[role=combobox]").fill("status");
      await page.waitForTimeout(150);
    },
  ],
  ["explorer-wrong", "/explorer?q=((status"],
  ["explorer-none", "/explorer?q=nothing"],
  ["explorer-live", "/explorer?live=1"],
  [
    "explorer-live-gaps",
    "/explorer?live=1",
    async (page) => {
      await page
        .locator("details summary", { hasText: /before it|その前/ })
        .click({ timeout: 20_000 });
      await page.waitForTimeout(100);
    },
  ],
  [
    "explorer-sql",
    "/explorer?tab=sql",
    async (page) => {
      await page.getByRole("button", { name: /Ctrl Enter/ }).click();
      await page.waitForTimeout(400);
    },
  ],
  ["errors", "/errors"],
  ["errors-users", "/errors?sort=users&state=all"],
  [
    "error",
    "/errors",
    async (page) => {
      await page.locator("[data-row] [data-primary]").first().click();
      await page.waitForTimeout(400);
    },
  ],
  ["error-gone", "/errors/v1-gone"],
  ["traces", "/traces"],
  ["traces-slow", "/traces?min=1s&sort=duration&q=checkout"],
  ["trace", "/traces/4bf92f3577b34da6a3ce929d0e0e4736"],
  ["trace-span", "/traces/4bf92f3577b34da6a3ce929d0e0e4736?span=a6"],
  ["trace-gone", "/traces/gone"],
  ["trace-long", "/traces/4bf92f3577b34da6a3ce929d0e0e4736", null, "many"],
  ["metrics", "/metrics"],
  ["metrics-split", "/metrics?name=http_requests_total&by=code"],
  ["metrics-many", "/metrics?name=process_resident_memory_bytes&by=path", null, "many"],
  ["logs", "/logs"],
  ["logs-open", "/logs", (page) => page.locator("[data-row] [data-primary]").nth(3).click()],
  ["logs-errors", `/logs?severity=error&pattern=${encodeURIComponent(PATTERN)}`],
  ["logs-none", "/logs?q=nothing%20at%20all"],
  ["empty-errors", "/errors", null, "empty"],
  ["empty-traces", "/traces", null, "empty"],
  ["empty-metrics", "/metrics", null, "empty"],
  ["empty-logs", "/logs", null, "empty"],
  ["inbox", "/inbox"],
  [
    "inbox-nothing",
    "/inbox",
    async (page) => {
      await page
        .getByRole("button", { name: /^(Nothing to do|対応不要)/ })
        .first()
        .click();
      await page.waitForTimeout(100);
    },
  ],
  ["inbox-tickets", "/inbox?tab=tickets"],
  ["inbox-filter", "/inbox?rule=shop-burning"],
  ["inbox-many", "/inbox", null, "many"],
  ["firing", "/firings/f1"],
  ["firing-ask", "/firings/f1?ask=ack"],
  ["firing-ticket", "/firings/t1"],
  ["firing-gone", "/firings/nothing"],
  ["objectives", "/objectives"],
  ["objective", "/objectives/demo-shop/available"],
  ["objective-unseen", "/objectives/demo-shop/from-outside"],
  ["rules", "/rules"],
  ["rule", "/rules?rule=shop-burning"],
  [
    "rules-quiet",
    "/rules",
    async (page) => {
      await page.locator("section[aria-labelledby=quiet] summary").click();
      await page.waitForTimeout(100);
    },
  ],
  [
    "rules-replay",
    "/rules?replay=30d",
    async (page) => {
      await page.locator("section[aria-labelledby=replay] button.primary").click();
      await page.locator("section[aria-labelledby=replay] tbody tr").first().waitFor();
      await page.waitForTimeout(200);
    },
  ],
  ["rules-starter", "/rules?starter=shop-api-internal"],
  ["rule-demote", "/rules?rule=search-slow&demote=search-slow"],
  ["service-unwatched", "/services/shop-api-internal"],
  ["actionability", "/actionability?demote=search-slow"],
  ["report", "/report"],
  ["report-before", "/report?service=demo-shop&month=2026-10"],
  ["report-no-target", "/report?service=shop-api-internal"],
  ["report-nothing", "/report?service=demo-shop&month=2025-12"],
  ["empty-actionability", "/actionability", null, "empty"],
  ["empty-report", "/report", null, "empty"],
  ["channel-test", "/channels/test/0196"],
  ["checks", "/checks"],
  ["check", "/checks/buy"],
  ["check-unknown", "/checks/dns-outside"],
  ["check-places", "/checks/from-abroad"],
  ["empty-inbox", "/inbox", null, "empty"],
  ["empty-tickets", "/inbox?tab=tickets", null, "empty"],
  ["empty-objectives", "/objectives", null, "empty"],
  ["empty-rules", "/rules", null, "empty"],
  ["empty-checks", "/checks", null, "empty"],
  ["sources", "/sources"],
  [
    "sources-import",
    "/sources",
    async (page) => {
      await page.locator("button.primary").first().click();
      await page.locator("details summary").first().click();
      await page.waitForTimeout(600);
    },
  ],
  [
    "sources-past",
    "/sources",
    async (page) => {
      await page.getByRole("button", { name: /^(Import its past|過去を取り込む)/ }).click();
      await page.waitForTimeout(100);
    },
  ],
  [
    "sources-past-runs",
    "/sources",
    async (page) => {
      await page.getByRole("button", { name: /^(Import its past|過去を取り込む)/ }).click();
      await page.locator("dialog[open] button.primary").click();
      await page.getByRole("progressbar").waitFor();
    },
  ],
  ["sources-many", "/sources", null, "many"],
  [
    "sources-token",
    "/sources?with=curl-lines",
    async (page) => {
      await page.locator(".snippet form button").click();
      await page.locator("dialog[open] button.primary").click();
      await page.waitForTimeout(300);
    },
  ],
  [
    "sources-hosts",
    "/sources?with=agent",
    async (page) => {
      const hosts = page.locator("section[aria-labelledby=hosts]");
      for (const summary of await hosts.locator("summary").all()) await summary.click();
      await page.waitForTimeout(100);
    },
  ],
  [
    "sources-forget",
    "/sources",
    async (page) => {
      const hosts = page.locator("section[aria-labelledby=hosts]");
      await hosts.getByRole("button", { name: /web-3$/ }).click();
      await page.waitForTimeout(100);
    },
  ],
  ["phone-places", "/sources", (page) => page.locator("nav.bar button").click()],
  ["settings", "/settings"],
  ["settings-agent", "/settings", (page) => page.locator("#token-scope").selectOption("agent")],
  [
    "help",
    "/",
    async (page) => {
      await page.keyboard.press("?");
      await page.waitForTimeout(100);
    },
  ],
  ["demo-ask", "/", (page) => page.locator("aside button").first().click()],
  ["range", "/", (page) => page.locator(".picker button").first().click()],
  [
    "tables",
    "/services/demo-shop",
    async (page) => {
      for (const button of await page.locator("figcaption button:last-of-type").all())
        await button.click();
    },
  ],
  ["not-found", "/nowhere"],
  ["empty-home", "/", null, "empty"],
  ["empty-service", "/services/shop", null, "empty"],
  ["empty-route", `/services/shop/route?route=${route}`, null, "empty"],
  ["empty-sources", "/sources", null, "empty"],
  ["failing", "/", null, "failing"],
  [
    "many",
    "/services/demo-shop",
    (page) => page.locator("section").nth(1).scrollIntoViewIfNeeded(),
    "many",
  ],
  ["sign-in", "/sign-in", null, "signed-out"],
  ["welcome", "/welcome/abc", null, "signed-out"],
  ["welcome-used", "/welcome/used", null, "signed-out"],
];
const LOOKS = [
  { axe: true, name: "en-light-1280", language: "en", scheme: "light", width: 1280, height: 860 },
  { axe: true, name: "ja-dark-1280", language: "ja", scheme: "dark", width: 1280, height: 860 },
  { name: "ja-light-360", language: "ja", scheme: "light", width: 360, height: 740 },
  { axe: true, name: "en-dark-360", language: "en", scheme: "dark", width: 360, height: 740 },
];

const mock = spawn(
  process.execPath,
  [fileURLToPath(new URL("../mock/server.mjs", import.meta.url)), "--port", String(PORT)],
  { stdio: ["ignore", "pipe", "inherit"] },
);
await new Promise((ready) => mock.stdout.once("data", ready));
const profile = mkdtempSync(join(tmpdir(), "koshu-look-"));
mkdirSync(out, { recursive: true });
const problems = [];
try {
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  for (const look of LOOKS) for (const entry of PAGES) await one(browser, look, entry);
  await browser.close();
} finally {
  mock.kill();
  rmSync(profile, { recursive: true, force: true });
}
for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? "nothing to complain about" : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function one(browser, look, [name, path, act, scenario = "normal"]) {
  if (option("only") && !`${name}-${look.name}`.includes(option("only"))) return;
  if (name.startsWith("phone-") && look.width > 760) return;
  const complain = (what) => problems.push(`${name}-${look.name}: ${what}`);
  await fetch(`${BASE}/api/v1/mock/scenario/${scenario}`);
  const page = await browser.newPage();
  await page.setViewportSize({ width: look.width, height: look.height });
  await page.emulateMedia({ colorScheme: look.scheme });
  page.on("console", (message) => {
    const expected = /status of (400|401|404|409|500)/.test(message.text());
    if (message.type() === "error" && !expected) complain(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complain(`error: ${error.message}`));
  await page.addInitScript((language) => {
    localStorage.setItem("koshu.language", language);
    addEventListener("securitypolicyviolation", (event) =>
      console.error(
        `CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
      ),
    );
  }, look.language);
  await page.goto(BASE + path);
  await page.waitForTimeout(700);
  if (act) await act(page).catch((cause) => complain(`act: ${cause.message.split("\n")[0]}`));
  await page.waitForTimeout(250);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) complain(`scrolls sideways by ${wide} px`);
  const modal = [
    "help",
    "demo-ask",
    "range",
    "phone-places",
    "sources-forget",
    "sources-past",
  ].includes(name);
  await page.screenshot({ path: join(out, `${name}-${look.name}.png`), fullPage: !modal });
  if (withAxe && look.axe) {
    const found = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
      .analyze();
    for (const violation of found.violations) {
      complain(
        `axe ${violation.id}: ${violation.nodes
          .map((node) => node.target.join(" "))
          .slice(0, 4)
          .join(" | ")} ${violation.nodes[0]?.any[0]?.message ?? ""}`,
      );
    }
  }
  await page.close();
}
