/**
 * Folds a batch into the profiles it touches: compare the copies in memory with Redis, rebuild from
 * Postgres what neither has, fold in entry order, write back by compare-and-set, and fold again where
 * another worker was faster. A profile is folded once in effect: the fold finds what it has taken in.
 *
 * One batch of a process at a time, up to the point where its writes are under way: the next one folds on,
 * and what it writes arrives after them.
 */
import pLimit from 'p-limit';
import { Failure } from '../domain/failure.ts';
import type { Transaction } from '../domain/transaction.ts';
import { beginRows } from '../profile/own-features.ts';
import type { FeatureRows } from '../scoring/feature-rows.ts';
import type { ProfileCache, StoreOutcome } from '../stream/profile-cache.ts';
import type { FoldSide, SideBatch } from './fold-side.ts';

/** One row of features a transaction, in their order. Throws a Failure. */
export type FoldProfiles = (transactions: readonly Transaction[]) => Promise<FeatureRows>;

export type FoldProfilesOptions = {
  readonly cache: Pick<ProfileCache, 'load' | 'store'>;
  readonly accounts: FoldSide;
  readonly merchants: FoldSide;
};

/** In each round at least one writer of a contended profile wins, so this many mean that something is wrong. */
const ROUNDS_MAX = 64;

export function createFoldProfiles({
  cache,
  accounts,
  merchants,
}: FoldProfilesOptions): FoldProfiles {
  const inTurn = pLimit(1);
  return async (transactions) => {
    const batch = { transactions, ...beginRows(transactions) };
    let sides: Sides | undefined;
    try {
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const writes = await inTurn(() => {
          sides ??= [accounts.begin(batch), merchants.begin(batch)];
          return foldRound(cache, sides);
        });
        const outcomes = await writes.outcomes;
        if (sides === undefined) throw new Error('no round was begun');
        const accountsDone = sides[0].finish(outcomes.slice(0, writes.ofAccounts));
        const merchantsDone = sides[1].finish(outcomes.slice(writes.ofAccounts));
        if (accountsDone && merchantsDone) return batch.rows;
      }
      throw contention();
    } catch (error) {
      for (const side of sides ?? []) side.abandon();
      throw error;
    }
  };
}

function contention(): Failure {
  return new Failure(
    'unavailable',
    'PROFILE_CONTENTION',
    `profiles were taken by other workers ${ROUNDS_MAX} times in a row`,
  );
}

type Sides = readonly [SideBatch, SideBatch];

/** Writes that are under way: an object, as a promise alone would be waited for with its batch's turn. */
type Writes = { readonly ofAccounts: number; readonly outcomes: Promise<StoreOutcome[]> };

async function foldRound(
  cache: FoldProfilesOptions['cache'],
  [accounts, merchants]: Sides,
): Promise<Writes> {
  const ofAccounts = accounts.requests();
  const replies = await cache.load([...ofAccounts, ...merchants.requests()]);
  const folds = [
    accounts.fold(replies.slice(0, ofAccounts.length)),
    merchants.fold(replies.slice(ofAccounts.length)),
  ] as const;
  // Where one fails the other ends too, before both are abandoned: else it would keep copies that were never written.
  await Promise.allSettled(folds);
  const [accountWrites, merchantWrites] = await Promise.all(folds);
  const outcomes = cache.store([...accountWrites, ...merchantWrites]);
  // Handled by whoever waits for it, a moment later.
  outcomes.catch(() => undefined);
  return { ofAccounts: accountWrites.length, outcomes };
}
