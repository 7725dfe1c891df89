/** Figures of what waits and is final in Postgres, for the status; the figures read last serve while Postgres does not answer. */
import { countLeft } from '../../../core/store/open-rows/lost-rows.ts';
import { countOnHold, countOpen } from '../../../core/store/open-rows/open-rows.ts';
import { readTotals, type Total } from '../../../core/store/tallies/day-tallies.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { isPrimaryAway } from '../../../kit/process/primary-away.ts';
import { isUnavailable } from '../../../kit/words/failure.ts';

/** Figures from Postgres. */
export type StoredFigures = {
  readonly unappended: number;
  readonly pending: number;
  readonly onHold: number;
  readonly totals: readonly Total[];
  /** Everything stored before this is in the totals. */
  readonly countedAtMs: number;
  /** True when Postgres did not answer: all figures are from the last time it did, or of a replica. */
  readonly isOld: boolean;
};

/**
 * Makes a function that reads Postgres, and measures Redis between the reads of what waits and of what is final. The function throws
 * `unavailable` only until Postgres has answered once.
 */
export function createReadFigures({ primary, now }: Databases) {
  let last: StoredFigures | undefined;
  return async <Measured>(
    measure: () => Promise<Measured>,
  ): Promise<readonly [StoredFigures, Measured]> => {
    try {
      const [unappended, pending, onHold] = await Promise.all([
        countLeft(primary),
        countOpen(primary.query, null),
        countOnHold(primary.query),
      ]);
      const measured = await measure();
      const countedAtMs = now();
      const { totals, countedTo } = await readTotals(primary);
      last = {
        unappended,
        pending,
        onHold: [...onHold.values()].reduce((sum, transactions) => sum + transactions, 0),
        totals,
        isOld: isPrimaryAway(),
        countedAtMs: countedTo?.getTime() ?? countedAtMs,
      };
      return [last, measured];
    } catch (error) {
      if (last === undefined || !isUnavailable(error)) throw error;
      return [{ ...last, isOld: true }, await measure()];
    }
  };
}
