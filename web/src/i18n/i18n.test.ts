import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FluentBundle, FluentResource } from "@fluent/bundle";
import { afterEach, describe, expect, it, vi } from "vitest";

const root = join(import.meta.dirname, "../..");
const source = (language: string): string =>
  readFileSync(join(root, `../locales/${language}/web.ftl`), "utf8");
const keysOf = (text: string): string[] =>
  [...text.matchAll(/^([a-z][a-z0-9-]*) *=/gm)].map((match) => match[1] ?? "");
const argumentsOf = (text: string, key: string): string[] => {
  const from = text.search(new RegExp(`^${key} *=`, "m"));
  const rest = text.slice(from);
  const end = rest.search(/\n[a-z#]/);
  const message = end === -1 ? rest : rest.slice(0, end);
  return [...new Set([...message.matchAll(/\$(\w+)/g)].map((match) => match[1] ?? ""))].sort();
};
const code = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !/(keys|\.test)\.ts$/.test(name))
  .map((name) => readFileSync(join(root, "src", name), "utf8"))
  .join("\n");

describe("the texts", () => {
  const [en, ja] = [source("en"), source("ja")];

  it("exist in both languages, each once", () => {
    expect([...keysOf(ja)].sort()).toEqual([...keysOf(en)].sort());
    expect(new Set(keysOf(en)).size).toBe(keysOf(en).length);
  });
  it("take no argument in one language that they lack in the other", () => {
    expect(argumentsOf(en, "firing-value-limit")).toEqual(["limit", "value"]);
    for (const key of keysOf(en)) {
      const extra = argumentsOf(ja, key).filter((each) => !argumentsOf(en, key).includes(each));
      expect(extra, key).toEqual([]);
    }
  });
  it("keep the same links in both languages", () => {
    const tags = (text: string, key: string): string[] => {
      const line = new RegExp(`^${key} *=[^]*?(?=^[a-z#]|$(?![^]))`, "m").exec(text)?.[0] ?? "";
      const names = [...line.matchAll(/<(\w+)>/g)].map((match) => match[1] ?? "");
      return names.filter((name) => name !== "b").sort();
    };
    for (const key of keysOf(en)) expect(tags(ja, key), key).toEqual(tags(en, key));
  });
  it("are written without a syntax error", () => {
    for (const [language, text] of [
      ["en", en],
      ["ja", ja],
    ] as const) {
      const bundle = new FluentBundle(language);
      expect(bundle.addResource(new FluentResource(text)), language).toEqual([]);
      for (const key of keysOf(text))
        expect(bundle.hasMessage(key), `${language} ${key}`).toBe(true);
    }
  });
  /** Their numbers are limits, are said only from two on, or are no numbers at all. */
  const neverOne = new Set([
    "sql-range",
    "limit-series",
    "limit-fields",
    "limit-services",
    "password-help",
    "password-short",
    "error-all-frames",
    "quiet-inhibited",
    "fired-times",
    "objective-over",
    "check-attempts",
  ]);
  it("count one thing as one in English", () => {
    const bundle = new FluentBundle("en", { useIsolating: false });
    bundle.addResource(new FluentResource(en));
    const wrong = keysOf(en).flatMap((key) => {
      const args = Object.fromEntries(argumentsOf(en, key).map((name) => [name, 1]));
      const pattern = bundle.getMessage(key)?.value ?? "";
      const said = bundle.formatPattern(pattern, args, []).replaceAll(/<.*?>/g, "");
      if (neverOne.has(key)) return [];
      // "1 of 1 requests" is said of however many there are.
      return /(?<!\bof |\bmore than )\b1 (?:more |newest |older )?(?!series)[a-z]{3,}s\b/i.test(
        said,
      )
        ? [`${key}: ${said}`]
        : [];
    });
    expect(wrong).toEqual([]);
  });
  it("are all used", () => {
    const unused = keysOf(en).filter((key) => !code.includes(`"${key}"`));
    expect(unused).toEqual([]);
  });
  it("that the code asks for all exist", () => {
    const asked = [...code.matchAll(/\bt\(\s*"([a-z0-9-]+)"|\bkey="([a-z0-9-]+)"/g)];
    const missing = asked
      .map((match) => match[1] ?? match[2] ?? "")
      .filter((key) => !keysOf(en).includes(key));
    expect(missing).toEqual([]);
  });
  it("are known to the type checker", () => {
    const keys = readFileSync(join(root, "src/i18n/keys.ts"), "utf8");
    const typed = [...keys.matchAll(/\| "([a-z0-9-]+)"/g)].map((match) => match[1] ?? "");
    expect(typed, "run `npm run keys`").toEqual([...keysOf(en)].sort());
  });
});

describe("the language of the page", () => {
  afterEach(() => {
    vi.doUnmock("../../../locales/ja/web.ftl?raw");
    vi.unstubAllGlobals();
  });
  it("is the one that was asked for last, though texts of another one come later", async () => {
    let come = (): void => {};
    const late = new Promise<{ default: string }>((resolve) => {
      come = () => resolve({ default: "close = 閉じる" });
    });
    vi.doMock("../../../locales/ja/web.ftl?raw", () => late);
    vi.stubGlobal("document", { documentElement: { lang: "" } });
    vi.resetModules();
    const { language, t, useLanguage } = await import("./i18n.svelte");
    const first = useLanguage("ja");
    await useLanguage("en");
    come();
    await first;
    expect([language(), t("close")]).toEqual(["en", "Close"]);
  });
  it("keeps a number and its unit on one line", async () => {
    vi.stubGlobal("document", { documentElement: { lang: "" } });
    vi.resetModules();
    const { t, useLanguage } = await import("./i18n.svelte");
    await useLanguage("en");
    expect(t("range-last-minutes", { n: 15 })).toMatch(/ 15\u00a0minutes$/);
    expect(t("quality-interval", { interval: "a 5 s b" })).toBe("95\u00a0%: a 5 s b");
    await useLanguage("ja");
    expect(t("quality-interval", { interval: "–" })).toBe("95\u00a0% 区間 –");
  });
});
