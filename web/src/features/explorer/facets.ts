// Which fields have facets, and what a click on a value does to the filter. Pure; the values and
// their counts are the server's.

import type { LogRow } from "../../api/types";
import { splitTerms, term, withTerm } from "./filter";

/** Fields of every record, in the order in which people ask for them. */
export const COMMON_FACETS = ["status", "route", "method", "service", "host", "source"] as const;
/** Asked for without a click; each open facet costs the server a look at the whole range. */
export const OPEN_AT_FIRST: ReadonlySet<string> = new Set(["status", "route", "method"]);

/** Values of a facet at first, and after "show more". */
export const FEW_VALUES = 8;
export const MORE_VALUES = 50;

/** The common fields, then the attributes which these records carry. Odd names can't be filtered. */
export function facetFields(rows: readonly LogRow[]): string[] {
  const attributes = new Set<string>();
  for (const row of rows.slice(0, 100))
    for (const name of Object.keys(row.attrs)) if (/^[\w.-]+$/.test(name)) attributes.add(name);
  for (const name of COMMON_FACETS) attributes.delete(name);
  return [...COMMON_FACETS, ...[...attributes].sort()];
}

export interface FacetValue {
  value: string;
  count: number;
  /** Share of the commonest value, for the bar. */
  share: number;
  /** The filter asks for this value already. */
  chosen: boolean;
}

export function facetValues(
  field: string,
  values: readonly (readonly [string, number])[],
  filter: string,
): FacetValue[] {
  const terms = new Set(splitTerms(filter));
  const most = Math.max(1, ...values.map(([, count]) => count));
  return values.map(([value, count]) => ({
    value,
    count,
    share: count / most,
    chosen: terms.has(term(field, value)),
  }));
}

/** A click on a value asks for it, and a second click no longer does. */
export function toggled(filter: string, field: string, value: string): string {
  const wanted = term(field, value);
  const terms = splitTerms(filter);
  return terms.includes(wanted)
    ? terms.filter((each) => each !== wanted).join(" ")
    : withTerm(filter, wanted);
}
