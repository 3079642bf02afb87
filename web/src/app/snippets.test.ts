import { describe, expect, it } from "vitest";
import * as snippets from "./snippets";

const { isThisMachine, changeSnippet, ...senders } = snippets;

describe("a first record", () => {
  it.each(Object.entries(senders))("%s takes a token from other machines only", (_, snippet) => {
    for (const here of ["http://127.0.0.1:4649", "http://localhost:80", "http://[::1]:4649"]) {
      expect(isThisMachine(here)).toBe(true);
      expect(snippet(here)).toContain(here);
      expect(snippet(here)).not.toMatch(/token/i);
    }
    const away = snippet("https://koshu.example");
    expect(away).toContain("https://koshu.example");
    expect(away).toMatch(/KOSHU_TOKEN|koshu-token/);
  });

  it("of a deploy always takes one", () => {
    expect(changeSnippet("http://127.0.0.1:4649")).toContain("Bearer $KOSHU_TOKEN");
  });

  it("is not on this machine because its name begins so", () => {
    expect(isThisMachine("https://localhost.example")).toBe(false);
    expect(isThisMachine("https://127.0.0.1.example")).toBe(false);
  });
});
