// How many alerts are open: for the navigation and the first page, read along with the clock.

import { readOpenAlerts } from "../api/endpoints";

export interface OpenAlerts {
  count: number;
  /** There are more than could be counted. */
  more: boolean;
}

const state = $state<{ open: OpenAlerts | null }>({ open: null });

/** Null while it is not known, which is not the same as none. */
export const openAlerts = (): OpenAlerts | null => state.open;

export async function readAlerts(): Promise<void> {
  try {
    const found = await readOpenAlerts();
    state.open = { count: found.firings.length, more: found.next !== null };
  } catch {
    // A number that is no longer true is worse than none; the page itself says what is wrong.
    state.open = null;
  }
}
