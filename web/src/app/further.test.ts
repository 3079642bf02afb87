import { describe, expect, it, vi } from "vitest";
import { further } from "./further.svelte";

interface Page {
  rows: string[];
  next: string | null;
}

function list(first: Page) {
  let shown: Page | null = first;
  const read = vi.fn<(cursor: string) => Promise<Page>>();
  const pages = further<Page, string>({
    first: () => shown,
    read,
    rows: (page) => page.rows,
    cursor: (page) => page.next,
  });
  return { pages, read, show: (page: Page | null) => void (shown = page) };
}

describe("further pages", () => {
  it("come one behind the other until there is no more", async () => {
    const { pages, read } = list({ rows: ["a"], next: "1" });
    read.mockResolvedValueOnce({ rows: ["b"], next: "2" });
    read.mockResolvedValueOnce({ rows: ["c"], next: null });
    await pages.more();
    await pages.more();
    await pages.more();
    expect(pages.rows).toEqual(["b", "c"]);
    expect(read.mock.calls).toEqual([["1"], ["2"]]);
    expect(pages.cursor).toBeNull();
  });
  it("are asked for once at a time", async () => {
    const { pages, read } = list({ rows: ["a"], next: "1" });
    read.mockResolvedValue({ rows: ["b"], next: null });
    await Promise.all([pages.more(), pages.more()]);
    expect(read).toHaveBeenCalledTimes(1);
  });
  it("are dropped when they come for an answer that is no longer shown, which holds nothing up", async () => {
    const { pages, read, show } = list({ rows: ["a"], next: "1" });
    let come = (_: Page): void => {};
    read.mockReturnValueOnce(new Promise((resolve) => (come = resolve)));
    const late = pages.more();
    expect(pages.loading).toBe(true);
    show({ rows: ["x"], next: "9" });
    expect([pages.loading, pages.cursor]).toEqual([false, "9"]);
    read.mockResolvedValueOnce({ rows: ["y"], next: null });
    await pages.more();
    come({ rows: ["b"], next: null });
    await late;
    expect(pages.rows).toEqual(["y"]);
  });
  it("that fail say so, but not below another answer; and can be asked for again", async () => {
    const { pages, read, show } = list({ rows: ["a"], next: "1" });
    read.mockRejectedValueOnce(new Error("broken"));
    await pages.more();
    expect(pages.problem).toContain("broken");
    const again = { rows: ["a"], next: "1" };
    show(again);
    expect(pages.problem).toBeNull();
    read.mockResolvedValueOnce({ rows: ["b"], next: null });
    await pages.more();
    expect(pages.rows).toEqual(["b"]);
  });
});
