/**
 * Folds a batch into the profiles it touches. One call appends the batch's records to the logs in Redis and answers with
 * what other workers appended since the copies in memory; then the copies take both in, and what no copy reaches is
 * rebuilt from Postgres. Nobody loses, so nothing is folded twice.
 *
 * A copy in memory equals its log up to an end, whose stamp proves it. So a copy is only changed after Redis has answered,
 * and an append without an answer does no harm: it is returned as appended since.
 */
import type { DeliveredTransaction } from '../../domain/delivered.ts';
import { arrivalsOfDelivered } from '../../profile/arrivals.ts';
import { rebuildParties } from '../../profile/fold-batch.ts';
import { beginRows } from '../../profile/own-features.ts';
import type { FeatureRows } from '../../score/feature-rows.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import { batchParties } from './batch-party.ts';
import { forgetParty } from './profile-memory.ts';
import { type KindFold, type Profiles, resetArena } from './profiles.ts';
import { storeSnapshot } from './store-copy.ts';
import { countReplies, takeReply } from './take-reply.ts';

/** One row of features per transaction, in their order. Throws a Failure. */
export function foldProfiles(
  profiles: Profiles,
  transactions: readonly DeliveredTransaction[],
): Promise<FeatureRows> {
  return profiles.inTurn(async () => {
    const begun = beginRows(arrivalsOfDelivered(transactions));
    const nowS = Math.floor(profiles.nowMs() / 1000);
    const folds = profiles.kinds.map((kind): KindFold => {
      const stamp = profiles.newStamp();
      const rebuilds = { missing: [], too_short: [] };
      const fold = { ...profiles, ...kind, ...begun, transactions, nowS, stamp, rebuilds };
      return { ...fold, asked: batchParties(fold) };
    });
    try {
      await appendAll(profiles, folds);
      await rebuildAll(folds);
    } finally {
      // Snapshots of what was rebuilt are on their way while the next batch folds on.
      profiles.installs.flush();
    }
    return begun.rows;
  });
}

/** Appends, and asks again for what one reply had no room for. */
async function appendAll(
  { market, logs, ttlSeconds }: Profiles,
  folds: readonly KindFold[],
): Promise<void> {
  for (;;) {
    const appends = folds.flatMap(({ asked }) => asked);
    if (appends.length === 0) return;
    const replies = await market.guards.redis.run(() => logs.append(market, ttlSeconds, appends));
    for (const fold of folds) takeReplies(fold, replies.splice(0, fold.asked.length));
  }
}

function takeReplies(fold: KindFold, replies: readonly LogReply[]): void {
  countReplies(fold, replies, fold.asked);
  fold.asked = fold.asked.filter((batchParty, index) => {
    try {
      return !takeReply(fold, batchParty, replies[index] as LogReply);
    } catch (error) {
      // Folded in part, so it no longer equals its log.
      forgetParty(fold.memory, batchParty.party);
      throw error;
    }
  });
}

/** All kinds at once. Where one fails the others end too: a batch that failed leaves nothing behind that still folds. */
async function rebuildAll(folds: readonly KindFold[]): Promise<void> {
  const rebuilds = folds.map(rebuild);
  await Promise.allSettled(rebuilds);
  await Promise.all(rebuilds);
}

async function rebuild(fold: KindFold): Promise<void> {
  const { kind, metrics, installs, rebuilds } = fold;
  await installs.waitWhileFull();
  for (const [reason, { length }] of Object.entries(rebuilds)) {
    metrics.profileRebuilds.inc({ party: kind.party, reason }, length);
  }
  await rebuildParties(
    fold,
    [...rebuilds.missing, ...rebuilds.too_short],
    () => resetArena(fold),
    (batchParty, profile) => {
      storeSnapshot(fold, batchParty, profile);
      return installs.waitWhileFull();
    },
  );
}
