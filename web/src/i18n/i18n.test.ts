import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FluentBundle, FluentResource } from "@fluent/bundle";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const source = (language: string): string =>
  readFileSync(join(root, `../locales/${language}/web.ftl`), "utf8");
const keysOf = (text: string): string[] =>
  [...text.matchAll(/^([a-z][a-z0-9-]*) *=/gm)].map((match) => match[1] ?? "");
const argumentsOf = (text: string, key: string): string[] => {
  const from = text.search(new RegExp(`^${key} *=`, "m"));
  const rest = text.slice(from);
  const end = rest.slice(1).search(/^[a-z#]/m);
  const message = end === -1 ? rest : rest.slice(0, end + 1);
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
