// Where a trace is looked for. Pure.

/** How far around a moment: an hour. */
const AROUND_MS = 3_600_000;

/** The span of time around the moment that a link names; null without one. */
export function aroundMoment(at: string | null): { from: Date; to: Date } | null {
  const moment = at === null ? Number.NaN : Date.parse(at);
  if (Number.isNaN(moment)) return null;
  return { from: new Date(moment - AROUND_MS), to: new Date(moment + AROUND_MS) };
}

/** The path of a trace; `href` adds the rest. */
export const tracePath = (id: string): string => `/traces/${encodeURIComponent(id)}`;
