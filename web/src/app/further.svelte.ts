// Further pages behind a first answer. They belong to it: with another first answer they are gone, and one that comes for
// an earlier first answer is dropped.

import { ApiProblem } from "../api/client";
import * as text from "./text";

export interface Further<Row> {
  /** Behind those of the first answer. */
  readonly rows: readonly Row[];
  /** Where the next page begins; null when there is none. */
  readonly cursor: string | null;
  readonly loading: boolean;
  readonly problem: string | null;
  more: () => Promise<void>;
}

interface Source<Answer, Row> {
  first: () => Answer | null;
  read: (cursor: string) => Promise<Answer>;
  rows: (answer: Answer) => readonly Row[];
  cursor: (answer: Answer) => string | null;
}

/** Call it while a component is being set up. */
export function further<Answer extends object, Row>(source: Source<Answer, Row>): Further<Row> {
  interface Of {
    of: Answer;
  }
  let behind = $state.raw<(Of & { rows: readonly Row[]; cursor: string | null }) | null>(null);
  let asking = $state.raw<Of | null>(null);
  let failure = $state.raw<(Of & { said: string }) | null>(null);

  /** Only what belongs to the answer that is shown. */
  const own = <T extends Of>(what: T | null): T | null =>
    what !== null && what.of === source.first() ? what : null;
  const cursor = (): string | null => {
    const [first, pages] = [source.first(), own(behind)];
    if (pages) return pages.cursor;
    return first === null ? null : source.cursor(first);
  };

  return {
    get rows() {
      return own(behind)?.rows ?? [];
    },
    get cursor() {
      return cursor();
    },
    get loading() {
      return own(asking) !== null;
    },
    get problem() {
      return own(failure)?.said ?? null;
    },
    async more() {
      const [of, from] = [source.first(), cursor()];
      if (of === null || from === null || own(asking)) return;
      const mine = { of };
      asking = mine;
      failure = null;
      try {
        const next = await source.read(from);
        if (source.first() === of)
          behind = {
            of,
            rows: [...(own(behind)?.rows ?? []), ...source.rows(next)],
            cursor: source.cursor(next),
          };
      } catch (cause) {
        const said = cause instanceof ApiProblem ? text.problemText(cause) : String(cause);
        failure = { of, said };
      } finally {
        if (asking === mine) asking = null;
      }
    },
  };
}
