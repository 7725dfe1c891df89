/**
 * Devices and networks whose transactions come in another order than that of time, as those of a past that is sorted by account: each
 * would need a profile that is rebuilt around it. In place of profiles Postgres sums up the siblings of each transaction.
 */
import type { Query } from '../../../kit/database/pool.ts';
import { rowAt } from '../../domain/feature-rows.ts';
import { NO_FRAUDS } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { KindBatch } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import type { SharedKind } from '../../profile/shared-profile.ts';
import { SHARED, SHARED_ROWS_AFTER } from '../../store/profiles/past-queries.ts';
import { readSharedSiblings } from '../../store/profiles/shared-siblings.ts';
import { createLateParties } from './late-merchants.ts';
import type { LateParties } from './profiles.ts';

export class LateShared implements LateParties {
  /** A rebuild around a late transaction has most later rows of such a party. Smaller: parties with few rows are asked for row by row. */
  readonly rowsMin = SHARED_ROWS_AFTER;
  readonly parties = createLateParties();
  readonly #query: Query;
  readonly #kind: SharedKind;

  constructor(query: Query, kind: SharedKind) {
    this.#query = query;
    this.#kind = kind;
  }

  async fold(
    { transactions, rows }: KindBatch<Profile, unknown>,
    indices: readonly number[],
  ): Promise<void> {
    const { partyOf, loadFrauds, sinceMs } = SHARED[this.#kind.party];
    const points = indices.map((index) => transactions[index] as Transaction);
    const parties = points.map((point) => partyOf(point) ?? '');
    const fraudPoints = points.map((point, at) => {
      return { party: parties[at] ?? '', atMs: point.createdAtMs, sinceMs: sinceMs(point) };
    });
    const [siblings, frauds] = await Promise.all([
      readSharedSiblings(this.#query, this.#kind.party, points),
      loadFrauds(this.#query, fraudPoints),
    ]);
    for (const [at, { accounts, firstMs, isLate }] of siblings.entries()) {
      const index = indices[at] as number;
      const { createdAtMs } = points[at] as Transaction;
      if (isLate) this.parties.set(parties[at] ?? '', true);
      const known = frauds[at]?.known ?? NO_FRAUDS;
      const seen = { accounts, firstMs: firstMs ?? createdAtMs, frauds: known };
      this.#kind.write(seen, createdAtMs, rows.values, rowAt(rows, index));
    }
  }
}
