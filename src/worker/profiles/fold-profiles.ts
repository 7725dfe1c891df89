/**
 * Folds a batch into the profiles it touches. Calls append the batch's items to the logs in Redis and answer with
 * what other workers appended since the copies in memory; then the copies take both in, and what no copy reaches is
 * rebuilt from Postgres. Nobody loses, so nothing is folded twice.
 *
 * One batch of a process at a time. Snapshots of what was rebuilt are on their way while the next one folds on.
 */
import pLimit from 'p-limit';
import type { DeliveredTransaction } from '../../domain/delivered.ts';
import { arrivalsOfDelivered } from '../../profile/arrivals.ts';
import { beginRows } from '../../profile/own-features.ts';
import type { FeatureRows } from '../../scoring/feature-rows.ts';
import type { ProfileLogs } from '../../stream/profiles/profile-logs.ts';
import type { BatchParty } from './batch-party.ts';
import type { FoldKind, FoldOfKind } from './fold-kind.ts';
import type { Installs } from './installs.ts';
import { createStamps } from './stamps.ts';

/** One row of features per transaction, in their order. Throws a Failure. */
export type FoldProfiles = (transactions: readonly DeliveredTransaction[]) => Promise<FeatureRows>;

type FoldProfilesOptions = {
  readonly logs: Pick<ProfileLogs, 'append'>;
  readonly installs: Installs;
  readonly kinds: readonly FoldKind[];
};

export function createFoldProfiles({ logs, installs, kinds }: FoldProfilesOptions): FoldProfiles {
  const inTurn = pLimit(1);
  const newStamp = createStamps();
  return (transactions) =>
    inTurn(async () => {
      const begun = beginRows(arrivalsOfDelivered(transactions));
      const batch = { transactions, ...begun, stamp: newStamp(), newStamp };
      const folds = kinds.map((kind) => kind.begin(batch));
      try {
        await appendAll(logs, folds);
        await rebuildAll(folds);
      } finally {
        installs.flush();
      }
      return batch.rows;
    });
}

/**
 * Parties of a kind in one call. A larger batch makes several: copies are folded while Redis reads the logs of the next call, which
 * takes as long as folding where few copies fit in memory.
 */
const PARTIES_MAX = 256;
/** One that is folded, and one that Redis works on: both replies are in memory. */
const CALLS_UNDER_WAY_MAX = 2;

/** Where one call fails the others end too, as in `rebuildAll`. */
async function appendAll(
  logs: Pick<ProfileLogs, 'append'>,
  folds: readonly FoldOfKind[],
): Promise<void> {
  const limit = pLimit(CALLS_UNDER_WAY_MAX);
  const most = Math.max(...folds.map(({ parties }) => parties.length));
  const calls: Promise<void>[] = [];
  for (let at = 0; at < most; at += PARTIES_MAX) {
    const asked = folds.map(({ parties }) => parties.slice(at, at + PARTIES_MAX));
    calls.push(limit(() => appendParties(logs, folds, asked)));
  }
  await Promise.allSettled(calls);
  await Promise.all(calls);
}

/**
 * Appends, and asks again for what one reply had no room for.
 * @param parties of each fold
 */
async function appendParties(
  logs: Pick<ProfileLogs, 'append'>,
  folds: readonly FoldOfKind[],
  parties: readonly (readonly BatchParty[])[],
): Promise<void> {
  let asked = parties;
  while (asked.some(({ length }) => length > 0)) {
    const replies = await logs.append(asked.flat());
    let from = 0;
    asked = folds.map((fold, index) => {
      const some = asked[index] ?? [];
      from += some.length;
      return fold.take(replies.slice(from - some.length, from), some);
    });
  }
}

/** All kinds at once. Where one fails the others end too: a batch that failed leaves nothing behind that still folds. */
async function rebuildAll(folds: readonly FoldOfKind[]): Promise<void> {
  const rebuilds = folds.map((fold) => fold.rebuild());
  await Promise.allSettled(rebuilds);
  await Promise.all(rebuilds);
}
