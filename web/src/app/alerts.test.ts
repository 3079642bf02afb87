import { beforeEach, describe, expect, it, vi } from "vitest";

const answers = vi.hoisted(() => ({
  readOpenAlerts: vi.fn<() => Promise<object>>(),
  readOpenTickets: vi.fn<() => Promise<object>>(),
}));
vi.mock("../api/endpoints", () => answers);
const { openAlerts, openTickets, readOpen } = await import("./alerts.svelte");

const rows = (n: number, next: string | null = null): Promise<object> =>
  Promise.resolve({ firings: Array.from({ length: n }, () => ({})), next });

describe("how much is open", () => {
  beforeEach(async () => {
    answers.readOpenAlerts.mockImplementation(() => rows(2));
    answers.readOpenTickets.mockImplementation(() => rows(3));
    await readOpen();
  });
  it("is counted for alerts and for tickets", () => {
    expect([openAlerts(), openTickets()]).toEqual([
      { count: 2, more: false },
      { count: 3, more: false },
    ]);
  });
  it("is no more than what was read, and says that there is more", async () => {
    answers.readOpenTickets.mockImplementation(() => rows(100, "next"));
    await readOpen();
    expect(openTickets()).toEqual({ count: 100, more: true });
  });
  it("is forgotten when it cannot be read any more, the one without the other", async () => {
    answers.readOpenAlerts.mockImplementation(() => Promise.reject(new Error("unreachable")));
    answers.readOpenTickets.mockImplementation(() => rows(4));
    await readOpen();
    expect([openAlerts(), openTickets()]).toEqual([null, { count: 4, more: false }]);
  });
});
