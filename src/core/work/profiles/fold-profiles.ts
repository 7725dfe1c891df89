/**
 * Folds a batch into the profiles it touches. One call appends the batch's items to the logs in Redis and answers with
 * what other workers appended since the copies in memory; then the copies take both in, and what no copy reaches is
 * rebuilt from Postgres. Nobody loses, so nothing is folded twice.
 *
 * One batch of a process at a time. Snapshots of what was rebuilt are on their way while the next one folds on.
 */
import pLimit from 'p-limit';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { DeliveredTransaction } from '../../domain/delivered.ts';
import { arrivalsOfDelivered } from '../../profile/arrivals.ts';
import { beginRows } from '../../profile/own-features.ts';
import type { FeatureRows } from '../../score/feature-rows.ts';
import type { ProfileLogs } from '../../stream/profiles/profile-logs.ts';
import type { FoldKind, FoldOfKind } from './fold-kind.ts';
import { createInstalls } from './installs.ts';
import { createStamps } from './stamps.ts';

/** One row of features per transaction, in their order. Throws a Failure. */
export type FoldProfiles = (transactions: readonly DeliveredTransaction[]) => Promise<FeatureRows>;

type FoldProfilesOptions = {
  readonly logs: Pick<ProfileLogs, 'append' | 'install'>;
  readonly metrics: Metrics;
  readonly kinds: readonly FoldKind[];
};

export function createFoldProfiles({ logs, metrics, kinds }: FoldProfilesOptions): FoldProfiles {
  const inTurn = pLimit(1);
  const newStamp = createStamps();
  const installs = createInstalls(logs, metrics);
  return (transactions) =>
    inTurn(async () => {
      const begun = beginRows(arrivalsOfDelivered(transactions));
      const folds = kinds.map((begin) => begin({ transactions, ...begun, installs, newStamp }));
      try {
        await appendAll(logs, folds);
        await rebuildAll(folds);
      } finally {
        installs.flush();
      }
      return begun.rows;
    });
}

/** Appends, and asks again for what one reply had no room for. */
async function appendAll(
  logs: Pick<ProfileLogs, 'append'>,
  folds: readonly FoldOfKind[],
): Promise<void> {
  for (;;) {
    const appends = folds.flatMap((fold) => fold.asked());
    if (appends.length === 0) return;
    const replies = await logs.append(appends);
    for (const fold of folds) fold.take(replies.splice(0, fold.asked().length));
  }
}

/** All kinds at once. Where one fails the others end too: a batch that failed leaves nothing behind that still folds. */
async function rebuildAll(folds: readonly FoldOfKind[]): Promise<void> {
  const rebuilds = folds.map((fold) => fold.rebuild());
  await Promise.allSettled(rebuilds);
  await Promise.all(rebuilds);
}
