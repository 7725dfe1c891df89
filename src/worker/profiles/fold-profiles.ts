/**
 * Folds a batch into the profiles it touches. One call appends the batch's items to the logs in Redis and answers with
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
import type { LogAppend, ProfileLogs } from '../../stream/profiles/profile-logs.ts';
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

/** Appends, and asks again for what one reply had no room for. */
async function appendAll(
  logs: Pick<ProfileLogs, 'append'>,
  folds: readonly FoldOfKind[],
): Promise<void> {
  let appends: (readonly LogAppend[])[] = folds.map((fold) => fold.appends());
  while (appends.some(({ length }) => length > 0)) {
    const replies = await logs.append(appends.flat());
    let from = 0;
    appends = folds.map((fold, index) => {
      const { length } = appends[index] ?? [];
      from += length;
      return fold.take(replies.slice(from - length, from));
    });
  }
}

/** All kinds at once. Where one fails the others end too: a batch that failed leaves nothing behind that still folds. */
async function rebuildAll(folds: readonly FoldOfKind[]): Promise<void> {
  const rebuilds = folds.map((fold) => fold.rebuild());
  await Promise.allSettled(rebuilds);
  await Promise.all(rebuilds);
}
