// How many alerts and tickets are open: for the navigation and the first page, read along with the clock.

import { readOpenAlerts, readOpenTickets } from "../api/endpoints";

export interface OpenCount {
  count: number;
  /** There are more than could be counted. */
  more: boolean;
}

const state = $state<{ alerts: OpenCount | null; tickets: OpenCount | null }>({
  alerts: null,
  tickets: null,
});

/** Null while it is not known, which is not the same as none. */
export const openAlerts = (): OpenCount | null => state.alerts;
/** Those that are not done, whether their condition still holds or not. */
export const openTickets = (): OpenCount | null => state.tickets;

export async function readOpen(): Promise<void> {
  const [alerts, tickets] = await Promise.allSettled([readOpenAlerts(), readOpenTickets()]);
  state.alerts = countOf(alerts);
  state.tickets = countOf(tickets);
}

/** A number that is no longer true is worse than none; the page itself says what is wrong. */
function countOf(
  found: PromiseSettledResult<{ firings: object[]; next: string | null }>,
): OpenCount | null {
  if (found.status === "rejected") return null;
  return { count: found.value.firings.length, more: found.value.next !== null };
}
