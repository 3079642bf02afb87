import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, get, isAsking, post } from "./client";

interface Rows {
  rows: number[];
}
const ask = (signal?: AbortSignal): Promise<Rows> => get<Rows>("/rows", {}, ["rows"], signal);
const rows = (): Response => Response.json({ rows: [1] });
const busy = (): Response =>
  Response.json({ title: "busy" }, { status: 503, headers: { "retry-after": "12" } });
const server = vi.fn<typeof fetch>();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", server);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  server.mockReset();
});

describe("a question", () => {
  it("is on its way also while a busy server wants to be left alone", async () => {
    server.mockResolvedValueOnce(busy()).mockResolvedValueOnce(rows());
    const answer = ask();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(server).toHaveBeenCalledTimes(1);
    expect(isAsking()).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await answer).toEqual({ rows: [1] });
    expect(isAsking()).toBe(false);
  });
  it("is on its way until the last byte of its answer", async () => {
    let end = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        stream.enqueue(new TextEncoder().encode('{"rows": [1'));
        end = (): void => {
          stream.enqueue(new TextEncoder().encode("]}"));
          stream.close();
        };
      },
    });
    server.mockResolvedValueOnce(new Response(body));
    const answer = ask();
    await vi.advanceTimersByTimeAsync(1);
    expect(isAsking()).toBe(true);
    end();
    expect(await answer).toEqual({ rows: [1] });
    expect(isAsking()).toBe(false);
  });
  it("whose answer breaks off was not answered: the server is away", async () => {
    const body = new ReadableStream({ start: (stream) => stream.error(new TypeError("reset")) });
    server.mockResolvedValueOnce(new Response(body));
    await expect(ask()).rejects.toMatchObject({ status: 0, title: "unreachable" });
  });
  it("that is not wanted any more ends the wait", async () => {
    const control = new AbortController();
    server.mockResolvedValueOnce(busy());
    const answer = ask(control.signal);
    const ended = expect(answer).rejects.toMatchObject({ name: "AbortError" });
    await vi.advanceTimersByTimeAsync(1_000);
    control.abort();
    await ended;
    expect(isAsking()).toBe(false);
    expect(server).toHaveBeenCalledTimes(1);
  });
  it("fails when the server stays busy, and says what the server said", async () => {
    server.mockImplementation(() => Promise.resolve(busy()));
    const failed = expect(ask()).rejects.toBeInstanceOf(ApiProblem);
    await vi.advanceTimersByTimeAsync(24_000);
    await failed;
    expect(server).toHaveBeenCalledTimes(3);
  });
});

it("what somebody does is asked once, and holds nothing up", async () => {
  server.mockResolvedValueOnce(busy());
  const done = expect(post("/deed", {}, [])).rejects.toMatchObject({ status: 503 });
  expect(isAsking()).toBe(false);
  await done;
  expect(server).toHaveBeenCalledTimes(1);
});
