// What a live tail did not show, and in which time it is to be looked for. The stream says that something was left out, but
// not what: where no number is known none is said. Times are unix milliseconds. Pure.

export interface Gap {
  /** The connection broke; the server left some out; more waited here than is held. */
  why: "lost" | "left_out" | "not_kept";
  from: number;
  to: number;
  /** How many; null where nobody knows. */
  n: number | null;
}

/** Gaps that are told apart; before that the oldest ones grow together. */
export const MOST_GAPS = 20;
/** Gaps that are nearer than this are one: a server that leaves out says so with every batch. */
const NEAR_MS = 10_000;

/** Of two reasons the one that needs no number, which is not known for both together. */
const joined = (a: Gap, b: Gap): Gap => ({
  why: a.why === "not_kept" ? b.why : a.why,
  from: Math.min(a.from, b.from),
  to: Math.max(a.to, b.to),
  n: a.n === null || b.n === null ? null : a.n + b.n,
});

/** The gaps with one more, the latest last. */
export function withGap(gaps: readonly Gap[], gap: Gap): Gap[] {
  const last = gaps.at(-1);
  if (last && last.why === gap.why && gap.from <= last.to + NEAR_MS)
    return [...gaps.slice(0, -1), joined(last, gap)];
  const all = [...gaps, gap];
  const [first, second] = all;
  return all.length > MOST_GAPS && first && second ? [joined(first, second), ...all.slice(2)] : all;
}

/** Rows that the server sends of one batch; it tells behind them that the batch had more, and those were older. */
export const ROWS_OF_A_BATCH = 200;
/** A batch is here within this time, also on a slow line. */
const BATCH_MS = 10_000;

/** Rows come some time behind what they tell of. One that comes much later says nothing about when others were missed. */
const LATE_MS = 60_000;

/** What came on a connection, as far as it says from when on something may be missing. */
export interface Heard {
  row(at: number, ts: number): void;
  /** Nothing is missing before this, if nothing came behind the last row. */
  lastSure(): number;
  /** The same, if the rows that came just now may be the end of a batch whose beginning was left out. */
  sureBeforeBatch(now: number): number;
}

export function heardSince(opened: number): Heard {
  let rows: { at: number; ts: number }[] = [];
  const sure = (row: { ts: number } | undefined): number => row?.ts ?? opened;
  return {
    row(at, ts) {
      const known = Number.isFinite(ts) ? ts : at;
      rows.push({ at, ts: Math.min(at, Math.max(known, at - LATE_MS)) });
      if (rows.length > 2 * ROWS_OF_A_BATCH) rows = rows.slice(-ROWS_OF_A_BATCH - 1);
    },
    lastSure: () => sure(rows.at(-1)),
    sureBeforeBatch(now) {
      const first = rows.at(-ROWS_OF_A_BATCH);
      if (!first || first.at < now - BATCH_MS) return sure(rows.at(-1));
      return sure(rows.at(-ROWS_OF_A_BATCH - 1));
    },
  };
}

/** A stretch of whole seconds with all of a gap in it. */
export const secondsAround = ({ from, to }: Pick<Gap, "from" | "to">): [number, number] => {
  const begin = Math.floor(from / 1000) * 1000;
  return [begin, Math.max(begin + 1000, Math.ceil(to / 1000) * 1000)];
};
