// Firings as marks of the charts of a page: read when another time or another thing is looked at, and once a minute.

import { readChanges } from "../api/endpoints";
import { readFiringMarks, type Scope } from "../api/firing-marks";
import type { Firing } from "../api/watch";
import type { Mark } from "../chart/marks";
import * as clock from "./clock.svelte";
import { resource } from "./resource.svelte";

export interface About {
  scope: Scope;
  /** The time that is drawn, if it is not that of the page. */
  span?: { from: Date; to: Date };
  keep?: (firing: Firing) => boolean;
}

/** Call it while a component is being set up. Marks that cannot be read are left out: the charts stand without them. */
export function firingMarks(about: () => About | null): () => Mark[] {
  const minute = (at: Date): number => Math.floor(at.getTime() / 60_000);
  const asked = $derived(about());
  // The clock moves every ten seconds, an answer may be the same as before: neither alone asks anew.
  const question = $derived.by(() => {
    if (asked === null) return null;
    const { from, to } = asked.span ?? clock.span();
    return JSON.stringify([asked.scope, minute(from), minute(to)]);
  });
  const found = resource((signal) => {
    if (question === null) return null;
    const [scope, from, to] = JSON.parse(question) as [Scope, number, number];
    const keep = (firing: Firing): boolean => asked?.keep?.(firing) ?? true;
    return readFiringMarks(scope, from * 60, (to + 1) * 60, keep, signal);
  });
  return () => found.value ?? [];
}

/** Changes and firings of a service, or of all, in the time of the page. */
export function pageMarks(service: () => string | null): () => Mark[] {
  const changes = resource((signal) => readChanges(clock.span(), service(), signal));
  const firings = firingMarks(() => ({ scope: { service: service() } }));
  return () => [...(changes.value?.changes ?? []), ...firings()];
}
