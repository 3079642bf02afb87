// Walks through the app as a person would, against the mock API in headless Chromium: links, keys,
// dragging, the filter, the live tail, SQL, languages, signing out and in again. Also measures how
// long a chart of 100,000 points keeps the page busy.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PORT = 4900 + (process.pid % 90);
const BASE = `http://127.0.0.1:${PORT}`;
const mock = spawn(
  process.execPath,
  [fileURLToPath(new URL("../mock/server.mjs", import.meta.url)), "--port", String(PORT)],
  { stdio: ["ignore", "pipe", "inherit"] },
);
await new Promise((ready) => mock.stdout.once("data", ready));
const profile = mkdtempSync(join(tmpdir(), "koshu-walk-"));
const scenario = (name) => fetch(`${BASE}/api/v1/mock/scenario/${name}`);
try {
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    locale: "en-US",
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
  const page = await browser.newPage();
  page.setDefaultTimeout(8000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on(
    "console",
    (message) =>
      message.type() === "error" &&
      !/status of 401/.test(message.text()) &&
      errors.push(message.text()),
  );
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) =>
      console.error(
        `CSP ${event.violatedDirective} ${event.sourceFile}:${event.lineNumber}:${event.columnNumber} ${event.sample}`,
      ),
    ),
  );
  const step = async (name, work) => {
    const begin = Date.now();
    try {
      await work(page);
      assert.deepEqual(errors.splice(0), [], "errors in the console");
      console.log(`ok    ${name} (${Date.now() - begin} ms)`);
    } catch (cause) {
      process.exitCode = 1;
      console.log(`FAIL  ${name}: ${cause.message.split("\n").slice(0, 6).join(" ")}`);
    }
  };
  await walk(step, page, errors);
  await browser.close();
} finally {
  mock.kill();
  rmSync(profile, { recursive: true, force: true });
}

async function walk(step, page, errors) {
  const search = () => new URL(page.url()).searchParams;
  const path = () => new URL(page.url()).pathname;
  await step("the first page answers five questions", async () => {
    await page.goto(BASE);
    await page.getByRole("heading", { name: "What changed?" }).waitFor();
    assert.equal(await page.locator("main h2").count(), 5);
  });
  await step("a row opens by keyboard, and back works", async () => {
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/services/demo-shop");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.goBack();
    await page.getByRole("heading", { name: "Are users all right?" }).waitFor();
    await page.goForward();
    await page.locator(".u-over").nth(3).waitFor();
  });
  await step("marks of a chart are one stop, and the arrows and Escape work on them", async () => {
    await page.goto(`${BASE}/services/demo-shop`);
    const marks = page.locator("[role=toolbar]").first();
    await marks.locator("[data-mark]").nth(4).waitFor();
    assert.equal(await marks.locator("[data-mark][tabindex='0']").count(), 1);
    await marks.locator("[tabindex='0']").focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-mark"));
    assert.equal(await focused(), "alert");
    while (!(await page.evaluate(() => document.activeElement?.matches("button"))))
      await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    const listed = page.locator(".layer li a");
    assert.equal(await listed.count(), 2);
    await page.keyboard.press("Tab");
    assert.match(
      await page.evaluate(() => document.activeElement?.getAttribute("href")),
      /^\/firings\/close-/,
    );
    await page.keyboard.press("Escape");
    assert.equal(await listed.count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "BUTTON");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/firings\/f1/);
    await page.goBack();
  });
  await step("dragging on a chart selects a time for everything", async () => {
    const box = await page.locator(".u-over").first().boundingBox();
    await page.mouse.move(box.x + 200, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 420, box.y + 50, { steps: 8 });
    await page.mouse.up();
    await page.waitForURL(/range=/);
    assert.match(search().get("range"), /^20.*Z\.\.20.*Z$/);
  });
  await step("the shared cursor shows the same moment on all charts", async () => {
    await page.waitForTimeout(400);
    const box = await page.locator(".u-over").first().boundingBox();
    await page.mouse.move(box.x + 300, box.y + 40);
    await page.waitForTimeout(200);
    const moments = await page.locator("figure .at").allTextContents();
    assert.equal(new Set(moments.map((each) => each.trim())).size, 1, moments.join());
    assert.notEqual(moments[0].trim(), "Latest");
  });
  await step("the table sorts by click, and the order is in the address", async () => {
    await page.getByRole("button", { name: "Errors" }).click();
    await page.waitForURL(/sort=errors/);
    assert.equal(
      await page
        .locator('th[aria-sort="descending"]')
        .innerText()
        .then((text) => text.replace(/\s+/g, " ")),
      "Errors ↓",
    );
  });
  await step("a route opens with its range, heat map and slowest requests", async () => {
    await page.getByRole("link", { name: "GET /search" }).first().click();
    await page.waitForURL(/route\?/);
    assert.ok(search().get("range"));
    await page.locator("canvas").first().waitFor();
    await page.locator(".cells").click({ position: { x: 300, y: 120 } });
    await page.waitForURL(/explorer/);
    assert.match(search().get("q"), /route:"GET \/search" duration>=/);
  });
  await step("the filter completes by keyboard", async () => {
    await page.goto(`${BASE}/explorer`);
    await page.locator("[data-row]").first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("stat");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.type("500");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=status/);
    assert.equal(search().get("q"), "status>=500");
  });
  await step("a record opens beside, and a field joins the filter", async () => {
    // Rows of the question before are not those of this one.
    await page.locator(".outdated").first().waitFor({ state: "detached" });
    await page.locator("[data-row] [data-primary]").nth(2).click();
    await page.getByRole("complementary", { name: "Record" }).waitFor();
    await page.locator("aside .value").nth(1).click();
    await page.waitForFunction(() => location.search.includes("host"));
    assert.match(search().get("q"), /^status>=500 host:web-/);
  });
  await step("older records load while scrolling", async () => {
    await page.goto(`${BASE}/explorer`);
    await page.getByText("The newest 200 records").waitFor();
    await page.locator(".view").evaluate((view) => view.scrollTo(0, view.scrollHeight));
    await page.getByText("The newest 400 records").waitFor();
  });
  await step("dragging on the histogram zooms", async () => {
    const box = await page.locator("figure svg").first().boundingBox();
    await page.mouse.move(box.x + 100, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/range=/);
  });
  await step("the live tail runs, pauses and goes on", async () => {
    await page.getByRole("button", { name: "Live tail" }).click();
    await page.getByText(/^Live\./).waitFor();
    await page.waitForTimeout(700);
    await page.getByRole("button", { name: "Pause" }).click();
    const held = await page.locator("[data-row]").first().innerText();
    await page.waitForTimeout(900);
    assert.equal(await page.locator("[data-row]").first().innerText(), held);
    await page.getByRole("button", { name: /Go on \(\d+ waiting\)/ }).click();
    await page.waitForTimeout(500);
    assert.notEqual(await page.locator("[data-row]").first().innerText(), held);
  });
  await step("the live tail says when something may be missing, and leads to it", async () => {
    await page.goto(`${BASE}/explorer?live=1`);
    await page.getByText("Nothing has been missed since").waitFor();
    await page.getByText("More came than was sent here").waitFor();
    await page.getByText("The connection was lost: some records").waitFor({ timeout: 15_000 });
    await page.getByRole("link", { name: "Search this time" }).first().click();
    await page.waitForURL((url) => !url.searchParams.has("live"));
    const [from, to] = search().get("range").split("..").map(Date.parse);
    assert.ok(to - from >= 3_000 && to - from < 20_000, `${from} to ${to}`);
  });
  await step("SQL runs with Ctrl-Enter inside the shadow root, and is in the address", async () => {
    await page.getByRole("button", { name: "SQL", exact: true }).click();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("SELECT 1");
    await page.keyboard.press("Control+Enter");
    await page.getByText(/rows in/).waitFor();
    assert.equal(search().get("sql"), "SELECT 1");
    const styled = await page
      .locator(".cm-editor")
      .evaluate((editor) => getComputedStyle(editor).display);
    assert.equal(styled, "flex");
  });
  await step("keys go places, and do nothing while typing", async () => {
    await page.locator("h1").click();
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.waitForURL(/sources/);
    await page.locator("input[name=q]").fill("");
    await page.locator("input[name=q]").type("gh?jk");
    assert.equal(path(), "/sources");
    assert.equal(await page.locator("input[name=q]").inputValue(), "gh?jk");
  });
  await step("a discovered log is followed and its past imported", async () => {
    await page
      .getByRole("button", { name: /Follow and import/ })
      .first()
      .click();
    await page.getByRole("progressbar").waitFor();
  });
  await step(
    "the past of a followed log is imported once it was asked, and not twice",
    async () => {
      const log = page.locator("section[aria-labelledby=found] li", { hasText: "/api.access.log" });
      await log.getByText("Followed as shop-api-internal.").waitFor();
      const button = log.getByRole("button", { name: /Import its past/ });
      await button.click();
      const dialog = page.locator("dialog[open]");
      await dialog.getByText("Koshu reads 23.6 MiB in 2 files, the oldest first").waitFor();
      let full = true;
      await page.route("**/api/v1/sources/follow", (route) => {
        assert.deepEqual(route.request().postDataJSON(), {
          path: "/var/log/nginx/api.access.log",
          service: "shop-api-internal",
          import_past: true,
        });
        if (!full) return route.continue();
        full = false;
        return route.fulfill({ status: 429, headers: { "retry-after": "10" }, json: {} });
      });
      await dialog.getByRole("button", { name: "Import", exact: true }).click();
      await dialog.getByText("Too many imports are waiting.").waitFor();
      errors.splice(0);
      await dialog.getByRole("button", { name: "Import", exact: true }).click();
      await log.getByRole("progressbar").waitFor();
      await log.getByText("20.4 MiB had been stored before").waitFor();
      assert.deepEqual([await dialog.count(), await button.count()], [0, 0]);
      await page.unroute("**/api/v1/sources/follow");
    },
  );
  await step("a host that is gone says why, and is forgotten once that was asked", async () => {
    await page.goto(`${BASE}/sources`);
    const hosts = page.locator("section[aria-labelledby=hosts]");
    await hosts.getByText("6 hosts have an agent; 4 are silent.").waitFor();
    const first = hosts.locator("tbody > tr[data-row]").first();
    assert.match(await first.innerText(), /host gone[^]*web-3/);
    await hosts.getByText("Why is that believed?").first().click();
    await hosts.getByText("web-2 found no way to the host; while").waitFor();
    await first.getByRole("button", { name: "Forget web-3" }).click();
    const dialog = page.locator("dialog[open]");
    await dialog.getByText("If its agent still runs, the host comes back").waitFor();
    await dialog.getByRole("button", { name: "Forget" }).click();
    await hosts.getByText("5 hosts have an agent; 3 are silent.").waitFor();
    await hosts.getByRole("button", { name: "Connect another host" }).click();
    assert.equal(search().get("with"), "agent");
    await page.getByText("koshu token create --name web-1").waitFor();
  });
  await step("a check from several places says where it fails, and who sent nothing", async () => {
    await page.goto(`${BASE}/checks`);
    await page.locator("[data-row]", { hasText: "in 1 of 3 places" }).getByRole("link").click();
    await page.waitForURL(/from-abroad/);
    await page.getByText("The agent that should run it sent nothing.").waitFor();
    await page.getByText("Only agents run this check.").waitFor();
  });
  await step("a typed range is understood, a wrong one is said", async () => {
    await page.goto(BASE);
    await page.locator(".picker > button").click();
    await page.locator(".pop input").fill("whenever");
    await page.keyboard.press("Enter");
    await page.getByText(/Not understood/).waitFor();
    await page.locator(".pop input").fill("last tuesday");
    await page.keyboard.press("Enter");
    await page.waitForURL(/range=20/);
  });
  await step(
    "yesterday is the day before today, and closing the picker keeps the focus",
    async () => {
      await page.goto(BASE);
      await page.locator(".picker > button").click();
      await page.getByRole("button", { name: "Yesterday" }).click();
      await page.waitForURL(/range=yesterday/);
      const title = await page.locator(".picker > button").getAttribute("title");
      const before = new Date(Date.now() - 86_400_000);
      const day = { month: "short", day: "numeric", timeZone: "Asia/Tokyo" };
      assert.ok(title.startsWith(new Intl.DateTimeFormat("en", day).format(before)), title);
      await page.locator(".picker > button").click();
      await page.locator(".pop input").press("Escape");
      assert.equal(
        await page.locator(".picker > button").evaluate((each) => each === document.activeElement),
        true,
      );
    },
  );
  await step("in the explorer a service is a filter, also to take away again", async () => {
    await page.goto(`${BASE}/explorer?q=status%3A404&service=demo-shop`);
    const choice = page.getByRole("combobox", { name: "Service" });
    await choice.selectOption({ label: "All services" });
    await page.waitForURL((url) => !url.searchParams.has("service"));
    assert.equal(path(), "/explorer");
    assert.equal(search().get("q"), "status:404");
    await page.goto(`${BASE}/explorer?service=gone`);
    await choice.waitFor();
    assert.equal(await choice.inputValue(), "gone", "a filter that is not in the list is shown");
  });
  await step("a word that every object has is a word like any other", async () => {
    await page.goto(`${BASE}/explorer?range=constructor`);
    await page.locator("[data-row]").first().waitFor();
    await page.locator("[data-search]").fill("constructor");
    await page.locator("[data-search]").press("Enter");
    await page.waitForURL(/q=constructor/);
  });
  await step("a closed record gives the focus back to its row", async () => {
    await page.goto(`${BASE}/explorer`);
    await page.locator("[data-row] [data-primary]").nth(2).click();
    await page.getByRole("complementary", { name: "Record" }).waitFor();
    await page.getByRole("button", { name: "Close" }).first().press("Enter");
    await page.waitForURL((url) => !url.searchParams.has("id"));
    assert.equal(await page.evaluate(() => document.activeElement.matches("[data-row]")), true);
  });
  await step(
    "a failure loses nothing that is typed, and never passes for another answer",
    async () => {
      await page.goto(`${BASE}/inbox`);
      const row = page.locator("[data-firing]").first();
      await row.getByRole("button", { name: "Nothing to do…" }).click();
      await row.locator("form input").fill("the nightly import");
      await scenario("failing");
      await page
        .getByText(/Not updated since/)
        .first()
        .waitFor({ timeout: 25_000 });
      assert.equal(await row.locator("form input").inputValue(), "the nightly import");
      errors.length = 0;
      await scenario("normal");
      await page.goto(`${BASE}/errors?range=24h`);
      await page.locator("[data-row]").first().waitFor();
      await scenario("failing");
      await page.locator(".picker > button").click();
      await page.getByRole("button", { name: "Last 7 days" }).click();
      await page.getByText("This could not be loaded.").first().waitFor();
      assert.equal(await page.locator("main [data-row]").count(), 0, "24 hours are not seven days");
      errors.length = 0;
      await scenario("normal");
    },
  );
  await step("the language changes at once and stays", async () => {
    await page.goto(BASE);
    await page.getByRole("button", { name: "日本語" }).click();
    await page.getByRole("heading", { name: "何が変わったか" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "何が変わったか" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "ja");
    await page.getByRole("button", { name: "EN", exact: true }).click();
  });
  await step("signing out leads to the sign-in page, and signing in leads back", async () => {
    await page.goto(`${BASE}/settings`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/sign-in/);
    await page.goBack();
    await page.waitForURL(/sign-in\?next=%2Fsettings/);
    await page.goto(`${BASE}/explorer?q=status%3A404`);
    await page.waitForURL(/sign-in\?next=/);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/do not match/).waitFor();
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/explorer\?q=status/);
  });
  await step("a chart of 100,000 points keeps the page busy for a moment only", async () => {
    await scenario("dense");
    await page.addInitScript(() => {
      window.longest = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          window.longest = Math.max(window.longest, entry.duration);
      }).observe({ type: "longtask", buffered: true });
    });
    await page.goto(`${BASE}/services/demo-shop?range=24h`);
    await page.locator(".u-over").nth(3).waitFor({ timeout: 30_000 });
    await page.waitForTimeout(1500);
    const loading = await page.evaluate(() => window.longest);
    await page.evaluate(() => (window.longest = 0));
    const box = await page.locator(".u-over").first().boundingBox();
    for (let at = 0; at < 60; at += 1) await page.mouse.move(box.x + 10 + at * 12, box.y + 40);
    await page.waitForTimeout(300);
    console.log(
      `      longest task: ${Math.round(loading)} ms on load, ${Math.round(await page.evaluate(() => window.longest))} ms while moving the cursor`,
    );
    await scenario("normal");
  });
  await step("the inbox reads itself anew and keeps the place", async () => {
    await scenario("many");
    await page.goto(`${BASE}/inbox?state=resolved`);
    const rows = page.locator("[data-firing]");
    await rows.nth(49).waitFor();
    for (const count of [100, 150]) {
      await page.getByRole("button", { name: "Show more" }).click();
      await rows.nth(count - 1).waitFor();
    }
    await rows.nth(120).focus();
    const place = () =>
      page.evaluate(() => [document.activeElement.dataset.firing, Math.round(scrollY)]);
    const before = await place();
    await page.waitForResponse((answer) => answer.url().includes("limit=150"), { timeout: 15_000 });
    await page.waitForTimeout(300);
    assert.deepEqual(await place(), before);
    assert.equal(await rows.count(), 150);
    await page.keyboard.press("j");
    assert.notEqual((await place())[0], before[0], "j moves on from there");
    await scenario("normal");
  });
  await step("filters of the inbox stand in the address", async () => {
    await page.goto(`${BASE}/inbox`);
    await page.getByRole("button", { name: "Tickets", exact: true }).click();
    await page.getByRole("button", { name: "Overdue", exact: true }).click();
    assert.equal(search().toString(), "tab=tickets&state=overdue");
    await page.locator("[data-firing]", { hasText: "checkout-slow" }).waitFor();
    assert.equal(await page.locator("[data-firing]").count(), 1);
    await page.goBack();
    await page.waitForURL(`${BASE}/inbox`);
  });
  await step("a test of a channel arrives only when a person says so", async () => {
    await page.goto(`${BASE}/channels/test/0196`);
    await page.getByText("If you came here by the link").waitFor();
    assert.equal(await page.getByText("Thank you").count(), 0);
    await page.getByRole("button", { name: "Yes, it arrived" }).click();
    await page.getByText("counts as working now").waitFor();
  });
  await step("the demonstration is removed with one click and a confirmation", async () => {
    await page.goto(BASE);
    await page.getByRole("button", { name: "Remove demonstration" }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.getByText("No service has sent anything yet.").waitFor();
    assert.equal(await page.getByText("This is a demonstration.").count(), 0);
  });
  await step("the one-time link leads to a password and in", async () => {
    await scenario("signed-out");
    await page.goto(`${BASE}/welcome/abc`);
    await page.getByLabel("New password").fill("short");
    await page.getByRole("button", { name: "Set password and begin" }).click();
    await page.getByText("Use at least 12 characters.").waitFor();
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("button", { name: "Set password and begin" }).click();
    await page.waitForURL(`${BASE}/`);
  });
}
