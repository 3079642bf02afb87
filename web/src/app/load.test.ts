import { describe, expect, it } from "vitest";
import { ApiProblem } from "../api/client";
import { answered, asked, failed, shownOf, type Load } from "./load";

const at = (second: number): Date => new Date(second * 1000);
const problem = new ApiProblem(503, "busy", "");
const retry = (): void => {};
const fail = (load: Load<string>, second: number): Load<string> =>
  failed(load, problem, at(second), retry);
const loading: Load<string> = { state: "loading" };

describe("what a page loads", () => {
  it("shows the last good answer while it fails, and since when it fails", () => {
    const first = fail(answered("old", at(1)), 10);
    expect(fail(first, 20)).toMatchObject({ since: at(10), kept: { value: "old", at: at(1) } });
    expect(shownOf(first)?.value).toBe("old");
  });
  it("begins to fail anew after it was answered", () =>
    expect(fail(answered("new", at(15)), 20)).toMatchObject({ since: at(20) }));
  it("has nothing to show when it never was answered", () => {
    expect(shownOf(loading)).toBeNull();
    expect(shownOf(fail(loading, 10))).toBeNull();
  });
  it("stays as it is when the same is asked again", () => {
    const ready = answered("old", at(1));
    expect(asked(ready, false)).toBe(ready);
    expect(asked(loading, true)).toBe(loading);
  });
  it("is marked while another question is on its way, and no longer when that is answered", () => {
    const outdated = asked(answered("old", at(1)), true);
    expect(outdated).toMatchObject({ state: "ready", value: "old", outdated: true });
    expect(asked(outdated, false)).toMatchObject({ outdated: true });
    expect(answered("new", at(2))).toMatchObject({ outdated: false });
  });
  it("never shows the answer to another question as the last that is known of this one", () => {
    expect(shownOf(fail(asked(answered("old", at(1)), true), 10))).toBeNull();
    expect(shownOf(asked(fail(answered("old", at(1)), 10), true))).toBeNull();
  });
});
