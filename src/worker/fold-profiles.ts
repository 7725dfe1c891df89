/**
 * Folds a batch into the profiles it touches: compare the copies in memory with Redis, rebuild from
 * Postgres what neither has, fold in entry order, write back by compare-and-set, and fold again where
 * another worker was faster. A profile is folded once in effect: the fold finds what it has taken in.
 *
 * One batch of a process at a time: two of them would only race each other for the same merchants.
 */
import pLimit from 'p-limit';
import { Failure } from '../domain/failure.ts';
import type { AccountHistory, MerchantHistory } from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { ProfileCache } from '../stream/profile-cache.ts';
import type { FoldSide, SideBatch } from './fold-side.ts';

export type Histories = {
  readonly accounts: readonly AccountHistory[];
  readonly merchants: readonly MerchantHistory[];
};

/** One history of each kind a transaction, in their order. Throws a Failure. */
export type FoldProfiles = (transactions: readonly Transaction[]) => Promise<Histories>;

export type FoldProfilesOptions = {
  readonly cache: Pick<ProfileCache, 'load' | 'store'>;
  readonly accounts: FoldSide<AccountHistory>;
  readonly merchants: FoldSide<MerchantHistory>;
};

/** In each round at least one writer of a contended profile wins, so this many mean that something is wrong. */
const ROUNDS_MAX = 64;

export function createFoldProfiles({
  cache,
  accounts,
  merchants,
}: FoldProfilesOptions): FoldProfiles {
  const inTurn = pLimit(1);
  return (transactions) =>
    inTurn(async () => {
      const sides = [accounts.begin(transactions), merchants.begin(transactions)] as const;
      try {
        await foldRounds(cache, sides);
      } catch (error) {
        for (const side of sides) side.abandon();
        throw error;
      }
      return { accounts: sides[0].histories, merchants: sides[1].histories };
    });
}

async function foldRounds(
  cache: FoldProfilesOptions['cache'],
  [accounts, merchants]: readonly [SideBatch<AccountHistory>, SideBatch<MerchantHistory>],
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const ofAccounts = accounts.requests();
    const replies = await cache.load([...ofAccounts, ...merchants.requests()]);
    const [accountWrites, merchantWrites] = await Promise.all([
      accounts.fold(replies.slice(0, ofAccounts.length)),
      merchants.fold(replies.slice(ofAccounts.length)),
    ]);
    const outcomes = await cache.store([...accountWrites, ...merchantWrites]);
    const accountsDone = accounts.finish(outcomes.slice(0, accountWrites.length));
    const merchantsDone = merchants.finish(outcomes.slice(accountWrites.length));
    if (accountsDone && merchantsDone) return;
  }
  throw new Failure(
    'unavailable',
    'PROFILE_CONTENTION',
    `profiles were taken by other workers ${ROUNDS_MAX} times in a row`,
  );
}
