// Walks through every page of a running server with the living demonstration, as a person would who
// has just started it: one-time link, password, first page, service, route, explorer, live tail,
// Japanese, the watch from an alert to its rule, its record and a replay, what alerts were worth, the
// availability of the month, sources, a first token, a phone, settings, signing out and in again.
// Started by tests/it/browser.rs.
//
//   node walk.mjs URL ONE_TIME_LINK FOLDER_FOR_SCREENSHOTS
//
// Every page is looked at in light and dark: no finding of axe, no horizontal scrolling at 1280 px
// (nor on a phone), no violation of the content security policy, no error in the console, no text
// that shows a programming mistake. It stops at the first step that fails.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const [base, link, shots] = process.argv.slice(2);
if (!base || !link || !shots) throw new Error("node walk.mjs URL ONE_TIME_LINK FOLDER");
const PASSWORD = "correct horse battery staple";
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const DESK = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 740 };
/** How far the clock of the sender "slow-clock" is behind, seconds. */
const BEHIND = 243;
/** The rule that fires while the shop has visitors; see tests/it/browser.rs. */
const RULE = "shop-busy";

mkdirSync(shots, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "koshu-walk-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  locale: "en-US",
  timezoneId: "UTC",
  viewport: DESK,
  reducedMotion: "reduce",
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
const errors = [];
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await watch(page);
  await walk(page);
  console.log("the walk is done");
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}

/** Everything that a developer would see in red. */
async function watch(page) {
  page.on("pageerror", (error) => errors.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) errors.push(`${response.status()} ${response.url()}`);
  });
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) =>
      console.error(
        `content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`,
      ),
    ),
  );
}

async function step(name, work, { allowed = /^$/ } = {}) {
  const begin = Date.now();
  await work().catch((cause) => {
    throw new Error(`${name}: ${cause.message}; so far: ${errors.join("; ")}`, { cause });
  });
  const wrong = errors.splice(0).filter((error) => !allowed.test(error));
  assert.deepEqual(wrong, [], `${name}: errors in the console`);
  console.log(`ok  ${name} (${Date.now() - begin} ms)`);
}

/** Looks at the page as it is: by machine, and with a picture of it in light and in dark. */
async function look(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
    const found = violations.map(
      (each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`,
    );
    assert.deepEqual(found, [], `${name}, ${scheme}: findings of axe`);
    await page.screenshot({ path: join(shots, `${name}-${scheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await assertFits(page, name);
  const text = await page.locator("body").innerText();
  const slip = /\bNaN\b|\bundefined\b|\[object |\{ ?\$\w+ ?\}/.exec(text);
  assert.equal(
    slip,
    null,
    `${name} shows ${slip?.[0]}: ${text.slice(Math.max(0, (slip?.index ?? 0) - 80)).slice(0, 160)}`,
  );
}

/** What a program on this machine sends; without a token while none was made. */
function send(path, body, headers = {}) {
  return fetch(base + path, { method: "POST", body, headers });
}

/** Presses the button until an alert is in the answer: a minute has to be over to be replayed. */
async function replayed(page, section) {
  for (const end = Date.now() + 150_000; ; ) {
    const [answer] = await Promise.all([
      page.waitForResponse(/\/rules\/replay$/, { timeout: 130_000 }),
      section.getByRole("button", { name: "Replay", exact: true }).click(),
    ]);
    assert.equal(answer.status(), 200, await answer.text());
    await section.locator(".answer").waitFor();
    const found = await answer.json();
    if (found.alerts > 0) return found;
    assert.ok(Date.now() < end, `no alert in what was replayed: ${JSON.stringify(found)}`);
    const minute = Math.ceil(Date.now() / 60_000) * 60_000;
    await page.waitForFunction((at) => Date.now() > at, minute, { timeout: 70_000 });
  }
}

async function assertFits(page, name) {
  const wide = await page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const over = [...document.body.querySelectorAll("*")].filter(
      (each) => each.getBoundingClientRect().right > room,
    );
    return over.map((each) => `${each.tagName.toLowerCase()}.${each.className}`);
  });
  assert.deepEqual(wide.slice(0, 12), [], `${name} scrolls sideways; too wide are`);
}

async function walk(page) {
  const search = () => new URL(page.url()).searchParams;
  const heading = (name) => page.getByRole("heading", { name });
  const button = (name) => page.getByRole("button", { name, exact: true });
  const pages = page.getByRole("navigation", { name: "Pages" });

  await step("the one-time link signs in and asks for a password", async () => {
    await page.goto(link);
    await page.getByLabel("New password").fill("short");
    await button("Set password and begin").click();
    await page.getByText("Use at least 12 characters.").waitFor();
    await look(page, "welcome");
    await page.getByLabel("New password").fill(PASSWORD);
    await button("Set password and begin").click();
    await page.waitForURL(`${base}/`);
  });

  await step("the first page answers five questions about the demonstration", async () => {
    for (const question of [
      "Are users all right?",
      "Who was disappointed, and by what?",
      "Where does everybody's time go?",
      "What is near full?",
      "What changed?",
    ]) {
      await heading(question).waitFor();
    }
    await page.getByText("This is a demonstration.").waitFor();
    await page.locator("section[aria-labelledby=where] tbody tr").first().waitFor();
    await look(page, "home");
  });

  await step("a service shows its signals and its requests", async () => {
    await page.locator("main table a[href^='/services/']").first().click();
    await page.waitForURL("**/services/*");
    await heading(/^How is .* for its users\?$/).waitFor();
    await page.locator(".u-over").nth(3).waitFor();
    await page.locator("section[aria-labelledby=which] tbody tr").first().waitFor();
    await look(page, "service");
    await page
      .locator("section[aria-labelledby=which] th")
      .getByRole("button", { name: "Requests" })
      .click();
    await page.waitForURL(/sort=count/);
  });

  await step("a route shows its history and its slowest requests", async () => {
    await page.locator("section[aria-labelledby=which] tbody a[data-primary]").first().click();
    await page.waitForURL(/\/route\?/);
    await heading("The slowest 20").waitFor();
    await page.locator("section[aria-labelledby=slow] tbody tr").first().waitFor();
    await page.locator("canvas").first().waitFor();
    await look(page, "route");
    await page.getByRole("link", { name: "See its records" }).click();
    await page.waitForURL(/\/explorer\?/);
    assert.match(search().get("q"), /^route:/);
    await page.locator("[data-row]").first().waitFor();
  });

  await step("the explorer filters, and says what is wrong with a filter", async () => {
    await pages.getByRole("link", { name: "Explorer" }).click();
    await page.locator("[data-row]").first().waitFor();
    await page
      .getByRole("combobox", { name: "Filter" })
      .fill("status<500 duration>=0ms method:GET");
    await page.keyboard.press("Escape");
    await button("Filter").click();
    await page.waitForURL(/q=status/);
    await page.locator("[data-row]").first().waitFor();
    const statuses = await page.locator("[data-row] .status").allInnerTexts();
    assert.ok(
      statuses.length > 5 && statuses.every((status) => Number(status) < 500),
      statuses.join(),
    );
    await page.locator("[data-row] [data-primary]").nth(2).click();
    await page.getByRole("complementary", { name: "Record" }).waitFor();
    await look(page, "explorer");
  });
  await step("facets are counted by the server and narrow down", async () => {
    const method = page
      .locator(".facets details")
      .filter({ has: page.getByText("method", { exact: true }) });
    const value = method.locator("button.value").first();
    await value.waitFor();
    // The filter asks for this method already: a click takes it out, and the next one puts it back.
    assert.equal(await value.getAttribute("aria-pressed"), "true");
    await value.click();
    await page.waitForURL((url) => !url.searchParams.get("q").includes("method"));
    await method.locator("button.value[aria-pressed=false]").first().click();
    await page.waitForURL((url) => url.searchParams.get("q").includes("method"));
  });
  await step("lines are wrapped, and shown as JSON", async () => {
    await button("Wrapped").click();
    await page.waitForURL(/view=wrap/);
    await page.locator("[data-row] .rest").first().waitFor();
    await page.keyboard.press("v");
    await page.waitForURL(/view=json/);
    const json = await page.locator("[data-row] pre").first().innerText();
    assert.equal(typeof JSON.parse(json).ts, "string");
    await page.keyboard.press("v");
    await page.waitForURL((url) => !url.searchParams.has("view"));
  });
  await step(
    "a wrong filter is marked",
    async () => {
      await page.getByRole("combobox", { name: "Filter" }).fill("status>>5");
      await page.keyboard.press("Escape");
      await button("Filter").click();
      await page.getByRole("alert").first().waitFor();
      await button("Clear").click();
      await page.locator("[data-row]").first().waitFor();
    },
    { allowed: /400/ },
  );

  await step("the live tail shows requests as they come", async () => {
    await button("Live tail").click();
    await page.getByText(/^Live\./).waitFor();
    const first = page.locator("[data-row]").first();
    await first.waitFor();
    const before = await first.innerText();
    await page.waitForFunction(
      (text) => document.querySelector("[data-row]")?.innerText !== text,
      before,
    );
    await button("Pause").click();
    await look(page, "live-tail");
    await button("Stop live tail").click();
  });

  await step("SQL is answered, and stands in the address", async () => {
    await button("SQL").click();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type(
      "SELECT status, count(*) AS n FROM requests GROUP BY status ORDER BY n DESC",
    );
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+Enter");
    const result = page.getByRole("region", { name: "Result" });
    await result.locator("tbody tr").first().waitFor();
    assert.match(await result.innerText(), /\b200\b/);
    assert.match(search().get("sql"), /^SELECT status/);
    await look(page, "sql");
  });

  await step("the language changes at once, and stays", async () => {
    await pages.getByRole("link", { name: "Home" }).click();
    await button("日本語").click();
    await heading("利用者は問題なく使えているか").waitFor();
    await page.reload();
    await heading("利用者は問題なく使えているか").waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "ja");
    await page.locator("main tbody tr").first().waitFor();
    await look(page, "home-ja");
    await page.locator("main table a[href^='/services/']").first().click();
    await page.locator(".u-over").nth(3).waitFor();
    await look(page, "service-ja");
    await button("EN").click();
    await heading(/^How is .* for its users\?$/).waitFor();
  });

  const rowOf = (rule) => page.locator("[data-firing]", { hasText: rule }).first();
  const firing = (id) =>
    page.evaluate((one) => fetch(`/api/v1/firings/${one}`).then((answer) => answer.json()), id);

  await step("a link from a chat asks, and acknowledges nothing by being opened", async () => {
    await pages.getByRole("link", { name: "Inbox" }).click();
    await heading("What needs somebody?").waitFor();
    await rowOf(RULE).waitFor();
    await pages.getByRole("link", { name: /Inbox.*open alert/ }).waitFor();
    await look(page, "inbox");
    const id = await rowOf(RULE).getAttribute("data-firing");
    await page.goto(`${base}/firings/${id}?ask=ack`);
    await page.getByText("Do you take this alert?").waitFor();
    await page.waitForLoadState("networkidle").catch(() => {});
    assert.equal((await firing(id)).acknowledged_at, null, "the visit acknowledged it");
    await look(page, "firing-asked");
    await page.goBack();
  });
  await step("an alert is acknowledged and its outcome said, by keyboard", async () => {
    const row = rowOf(RULE);
    await row.focus();
    await page.keyboard.press("a");
    await row.getByText(/^Acknowledged by/).waitFor();
    await page.keyboard.press("o");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "We acted");
    await page.keyboard.press("Enter");
    await row.getByText("Somebody acted").waitFor();
    const said = await firing(await row.getAttribute("data-firing"));
    assert.ok(said.acknowledged_at !== null && said.outcome === "acted", JSON.stringify(said));
  });
  await step("a firing tells what happened, and leads to its rule", async () => {
    await rowOf(RULE).getByRole("link", { name: RULE }).click();
    await page.waitForURL(/\/firings\//);
    await heading("What happened?").waitFor();
    await page.getByLabel("Note").fill("The walk was here.");
    await button("Add note").click();
    const history = page.locator("section[aria-labelledby=history]");
    await history.getByText("The walk was here.").waitFor();
    await history.getByText("Acknowledged", { exact: true }).waitFor();
    await page.locator("main canvas").first().waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.getByText(/^measured [\d.]+ per second, limit 0\.001 per second$/).waitFor();
    await look(page, "firing");
    await page.getByRole("link", { name: "See the rule" }).click();
    await page.waitForURL(/\/rules\?rule=/);
    await heading("What came of it so far?").waitFor();
    await page.getByText("Somebody acted").first().waitFor();
    const record = page.locator("section[aria-labelledby=record]");
    await record.getByText("1 of 1").waitFor();
    await record.locator("tbody [data-primary]").first().waitFor();
    await look(page, "rule");
  });
  await step("the rules are replayed over the last day, and say how often they had fired", async () => {
    await page.getByRole("link", { name: "All rules" }).click();
    await page.waitForURL((url) => url.pathname === "/rules" && !url.searchParams.has("rule"));
    const replay = page.locator("section[aria-labelledby=replay]");
    assert.equal(await replay.getByLabel("Over").inputValue(), "1d");
    const found = await replayed(page, replay);
    const answer = await replay.locator(".answer").innerText();
    assert.ok(answer.includes(found.alerts === 1 ? "one alert" : `${found.alerts} alerts`), answer);
    const row = replay.locator("tbody tr", { hasText: RULE }).first();
    await row.getByText(/^[\d.]+ per second$/).waitFor();
    await look(page, "replay");
    await row.getByRole("link", { name: RULE }).click();
    await page.waitForURL(/\/rules\?rule=/);
  });
  await step("the same in Japanese: outcome with a reason, rule, objectives", async () => {
    await button("日本語").click();
    await heading("これまでの結果はどうだったか").waitFor();
    await look(page, "rule-ja");
    const places = page.getByRole("navigation", { name: "ページ" });
    await places.getByRole("link", { name: "受信箱" }).click();
    await heading("人の手が要るものは何か").waitFor();
    const row = rowOf(RULE);
    await row.getByRole("button", { name: "変更" }).click();
    await row.getByRole("button", { name: "対応不要…" }).click();
    await row.getByLabel(/なぜ対応が要らなかったのですか/).fill("いつも混んでいる");
    await row.getByRole("button", { name: "保存" }).click();
    await row.getByText("対応は要らなかった: いつも混んでいる").waitFor();
    await look(page, "inbox-ja");
    await places.getByRole("link", { name: "目標" }).click();
    await heading("あとどれだけ失敗できるか").waitFor();
    await look(page, "objectives-ja");
    await page.locator("main [data-row] [data-primary]", { hasText: "available" }).click();
    await heading("何が予算を減らしたのか").waitFor();
    await page.getByText(/^30\s日のうち \d+\s(分|秒)$/).waitFor();
    await look(page, "objective-ja");
    await button("EN").click();
    await heading("What burnt it?").waitFor();
  });
  await step("rules, channels and checks say what is there, and what is not", async () => {
    const watch = page.getByRole("navigation", { name: "The watch" });
    await watch.getByRole("link", { name: "Rules" }).click();
    await heading("What is watched, and where does it stand?").waitFor();
    await page.locator("section[aria-labelledby=rules] tbody tr", { hasText: RULE }).waitFor();
    await heading("Do messages arrive?").waitFor();
    await page.getByText("Keep something quiet for a while").click();
    await page.getByLabel("Firings that match all of").fill(`rule=${RULE}-not`);
    await page.getByLabel("Reason").fill("the walk");
    await button("Keep quiet").click();
    const quiet = page.locator("[data-quiet]", { hasText: `rule=${RULE}-not` });
    await quiet.waitFor();
    await look(page, "rules");
    await quiet.getByRole("button", { name: /^End it/ }).click();
    await quiet.waitFor({ state: "detached" });
    await watch.getByRole("link", { name: "Checks" }).click();
    await heading("What does nobody look at?").waitFor();
    await page.locator("section[aria-labelledby=covered] tbody tr").first().waitFor();
    await look(page, "checks");
  });
  await step("the quality of alerts says what each was worth", async () => {
    const watch = page.getByRole("navigation", { name: "The watch" });
    await watch.getByRole("link", { name: "Alert quality" }).click();
    await heading("Which rules are worth being told about?").waitFor();
    const row = page.locator("section[aria-labelledby=worth] tbody tr", { hasText: RULE });
    await row.getByText("0 of 1").waitFor();
    await row.getByText("Nothing had to be done").waitFor();
    await heading("Which alerts should become tickets?").waitFor();
    await page.getByText(/^A person's budget is/).waitFor();
    await look(page, "quality");
  });
  await step("the availability of the month has three definitions, and a table to take along", async () => {
    const watch = page.getByRole("navigation", { name: "The watch" });
    await watch.getByRole("link", { name: "Availability" }).click();
    await heading(/^How available was demo-shop in /).waitFor();
    const table = page.getByRole("table", { name: "Availability by three definitions" });
    for (const of of ["Minutes", "Requests", "People's time"]) {
      const named = page.getByRole("rowheader", { name: RegExp(`^${of}`) });
      const figure = table.getByRole("row").filter({ has: named }).locator("td").first();
      assert.match(await figure.innerText(), /^\d+\.\d{3}\s%/, of);
    }
    assert.equal(await table.getByRole("rowheader").count(), 3);
    const csv = await page.getByRole("link", { name: "Download CSV" }).getAttribute("href");
    const answer = await page.evaluate(async (address) => {
      const got = await fetch(address);
      return { status: got.status, type: got.headers.get("content-type"), text: await got.text() };
    }, csv);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.type, /^text\/csv/);
    assert.ok(answer.text.trim().split("\n").length > 3, answer.text);
    await look(page, "report");
  });

  await step("sources say what arrives, from where, and whose clock is wrong", async () => {
    const time = `${Date.now() - BEHIND * 1000}000000`;
    const streams = [{ stream: { service: "quiet" }, values: [[time, "late"]] }];
    const late = await send("/loki/api/v1/push", JSON.stringify({ streams }), {
      "content-type": "application/json",
      "user-agent": "slow-clock/1",
    });
    assert.equal(late.status, 204, await late.text());
    const wrong = await send("/api/v1/ingest/quiet?format=combined", "no line of a log\n");
    assert.equal((await wrong.json()).rejected, 1);
    await pages.getByRole("link", { name: "Sources" }).click();
    await heading("What arrives, and from where?").waitFor();
    const sender = page.locator("section[aria-labelledby=arrives] [data-row]", {
      hasText: "slow-clock",
    });
    await sender.getByText("its clock is 4 minutes behind").waitFor();
    await page.getByText("No other host has an agent.").waitFor();
    await heading("How much room is left?").waitFor();
    await look(page, "sources");
  });

  await step("without a whole day of past no rule is proposed, and the page says what to do", async () => {
    await page.goto(`${base}/rules?starter=demo-shop`);
    const unwatched = page.locator("section[aria-labelledby=unwatched]");
    await unwatched.getByText("There is no past of demo-shop to learn from yet.").waitFor();
    await page.goto(`${base}/services/quiet`);
    const watching = page.locator("section[aria-labelledby=watching]");
    await watching.getByText("Nobody:").waitFor();
    await watching.getByText("There is no past of quiet to learn from yet.").waitFor();
    await watching.evaluate((section) => section.scrollIntoView());
    await look(page, "starter");
    await watching.getByRole("link", { name: "Sources" }).click();
    await heading("What arrives, and from where?").waitFor();
  });

  await step("what the server names is said in Japanese", async () => {
    await button("日本語").click();
    await heading("何がどこから届いているか").waitFor();
    await page.getByText("時計が 4 分遅れている").waitFor();
    await page.getByText("1 行を読み取れなかった理由").first().click();
    const reasons = await page.locator("td.reason").allInnerTexts();
    assert.ok(reasons.length > 0 && reasons.every((text) => /[ぁ-ん]/.test(text)), reasons.join());
    const picks = await page.locator(".picks button").allInnerTexts();
    assert.ok(picks.includes("過去のログ") && picks.includes("cron のジョブ"), picks.join());
    const untold = picks.filter((text) => /^[a-z]+(-[a-z]+)+$/.test(text));
    assert.deepEqual(untold, [], "snippets without a title");
    await look(page, "sources-ja");
    await button("EN").click();
    await heading("What arrives, and from where?").waitFor();
  });

  await step(
    "the first token closes the door, is filled in, and is gone with the page",
    async () => {
      await button("A log file with curl").click();
      await page.waitForURL(/with=curl-lines/);
      const shown = page.locator(".snippet pre");
      await page.getByText("Programs on this machine need no token").waitFor();
      assert.doesNotMatch(await shown.innerText(), /Authorization/);
      await page.getByLabel("Name of the token").fill("the walk");
      await button("Make a token for this").click();
      const dialog = page.getByRole("dialog", { name: "Close the open door?" });
      await dialog.getByRole("button", { name: "Cancel" }).click();
      assert.equal((await send("/api/v1/ingest/quiet", "")).status, 200, "it is still open");
      await button("Make a token for this").click();
      await dialog.getByRole("button", { name: "Make the token" }).click();
      await page.getByText(/Authorization: Bearer koshu_/).waitFor();
      const [token] = /koshu_\w+/.exec(await shown.innerText());

      await browser.grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.locator(".snippet").getByRole("button", { name: "Copy" }).first().click();
      await page.locator(".snippet").getByText("Copied").first().waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(copied.startsWith("curl ") && copied.includes(token), copied);
      await button("A cron job").click();
      await page.getByText(/Bearer koshu_.*\/ping\//).waitFor();

      assert.equal((await send("/api/v1/ingest/quiet", "")).status, 401, "the door is closed");
      const authorization = `Bearer ${token}`;
      assert.equal((await send("/api/v1/ingest/quiet", "", { authorization })).status, 200);
      await pages.getByRole("link", { name: "Settings" }).click();
      await page.getByRole("cell", { name: "the walk", exact: true }).waitFor();
      await page.goBack();
      await page.getByText(/Bearer YOUR_INGEST_TOKEN/).waitFor();
      const kept = await page.evaluate(
        () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]) + document.cookie,
      );
      const left = [kept, page.url(), await page.content()].filter((text) => text.includes(token));
      assert.deepEqual(left, [], "the token was kept");
    },
  );

  await step("the header is one row, and quiet services are folded", async () => {
    await pages.getByRole("link", { name: "Home" }).click();
    await page.getByText("One service sent no requests in this range").click();
    await page.getByRole("link", { name: "quiet" }).first().waitFor();
    const rows = page.locator("section[aria-labelledby=right] tbody tr");
    assert.ok(!(await rows.allInnerTexts()).some((text) => text.includes("quiet")));
    const tall = await page.locator("header").first().evaluate((header) => header.offsetHeight);
    assert.ok(tall < 60, `the header is ${tall} px tall`);
    await look(page, "home-quiet");
  });

  await step("on a phone every page is two taps away, by thumb and by keyboard", async () => {
    await page.setViewportSize(PHONE);
    await pages.getByRole("link", { name: "Errors" }).click();
    await page.waitForURL(/\/errors/);
    const more = pages.getByRole("button", { name: /^More/ });
    await more.click();
    const sheet = page.getByRole("dialog", { name: "Pages" });
    await sheet.getByRole("link", { name: "Metrics" }).click();
    await page.waitForURL(/\/metrics/);
    await sheet.waitFor({ state: "hidden" });
    assert.match(await more.innerText(), /Metrics/, "the bar says where one is");
    await more.focus();
    await page.keyboard.press("Enter");
    await sheet.getByRole("link", { name: "Home" }).waitFor();
    await look(page, "phone-pages");
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
    await page.keyboard.press("Enter");
    await sheet.getByRole("link", { name: "Sources" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/sources/);
    const here = pages.getByRole("link", { name: "Home" });
    assert.equal(await here.getAttribute("aria-current"), null);
    await here.click();
    assert.equal(await here.getAttribute("aria-current"), "page");
    await page.setViewportSize(DESK);
  });

  await step("on a phone nothing scrolls sideways", async () => {
    await page.setViewportSize(PHONE);
    const paths = ["/", "/inbox", "/rules", "/actionability", "/report", "/checks", "/explorer"];
    for (const path of [...paths, "/sources", "/settings"]) {
      await page.goto(base + path);
      await page.locator("main h1").first().waitFor({ state: "attached" });
      await page.waitForLoadState("networkidle").catch(() => {});
      await assertFits(page, `${path} on a phone`);
    }
    await page.goto(`${base}/`);
    await page.locator("main tbody tr").first().waitFor();
    await page.screenshot({ path: join(shots, "home-phone.png") });
    await page.setViewportSize(DESK);
  });

  await step(
    "signing out ends the session, and the password begins another",
    async () => {
      await page.goto(`${base}/settings`);
      await button("Sign out").waitFor();
      await look(page, "settings");
      await button("Sign out").click();
      await page.waitForURL(/\/sign-in/);
      await look(page, "sign-in");
      await page.goto(`${base}/explorer`);
      await page.waitForURL(/\/sign-in\?next=/);
      await page.getByLabel("Password").fill(PASSWORD);
      await button("Sign in").click();
      await page.waitForURL(`${base}/explorer`);
      await page.locator("[data-row]").first().waitFor();
    },
    { allowed: /401/ },
  );

  await step(
    "the used link is refused",
    async () => {
      await page.goto(`${base}/settings`);
      await button("Sign out").click();
      await page.waitForURL(/\/sign-in/);
      await page.goto(link);
      await page.getByText("This link was used or is too old.").waitFor();
    },
    { allowed: /401/ },
  );
}
