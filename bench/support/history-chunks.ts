/** The order in which a table is filled: numbered rows at even times, and among them rows that have times of their own. */
import type { SimulatedTransaction } from '../../src/tools/simulate/simulate.ts';

/** Rows of one statement. More: the statement takes more memory; fewer: more statements for a table. */
const NUMBERED_ROWS = 250_000;
/** Own rows are sent as parameters, some 200 bytes each. */
const OWN_ROWS = 50_000;

/** Row n of so many lies `spacingMs` times n after `fromMs`. */
export type NumberedRows = {
  readonly rows: number;
  readonly fromMs: number;
  readonly spacingMs: number;
};

/** Later than all rows of the chunk before, nearly: a numbered row may be as late as the first of the next chunk. */
export type HistoryChunk = {
  /** Numbered rows from `from` on, before `to`. */
  readonly from: number;
  readonly to: number;
  readonly own: readonly SimulatedTransaction[];
  /** Own rows of the chunks before. */
  readonly ownBefore: number;
};

/** @param own in order of time */
export function* historyChunks(
  { rows, fromMs, spacingMs }: NumberedRows,
  own: Iterable<SimulatedTransaction>,
): Generator<HistoryChunk, void> {
  const others = own[Symbol.iterator]();
  let [from, ownBefore] = [0, 0];
  for (let other = others.next(); from < rows || other.done !== true; ) {
    let to = Math.min(from + NUMBERED_ROWS, rows);
    const untilMs = to === rows ? Number.POSITIVE_INFINITY : fromMs + to * spacingMs;
    const some: SimulatedTransaction[] = [];
    for (; other.done !== true && some.length < OWN_ROWS; other = others.next()) {
      if (other.value.createdAtMs >= untilMs) break;
      some.push(other.value);
    }
    const last = some.at(-1);
    // Numbered rows that are later than the last own one wait for the chunk of their time.
    if (last !== undefined && some.length === OWN_ROWS) {
      const before = Math.ceil((last.createdAtMs - fromMs) / spacingMs);
      to = Math.min(to, Math.max(from, before));
    }
    yield { from, to, own: some, ownBefore };
    from = to;
    ownBefore += some.length;
  }
}
