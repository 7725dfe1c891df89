/**
 * Folds a batch into the profiles it touches. One call appends the batch's records to the logs in Redis and answers with what
 * other workers appended; the copies in memory take both in, and what no copy reaches is rebuilt from Postgres.
 *
 * A copy is changed only after Redis has answered: an append without an answer is returned as appended since, so nothing is
 * folded twice.
 */
import type { DeliveredTransaction } from '../../domain/delivered.ts';
import { arrivalsOfDelivered } from '../../profile/arrivals.ts';
import { rebuildParties } from '../../profile/fold-batch.ts';
import { beginRows } from '../../profile/own-features.ts';
import type { FeatureRows } from '../../score/feature-rows.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import { batchParties } from './batch-parties.ts';
import { storeEarlier } from './earlier-profiles.ts';
import { foldSnapshots, noteMark, writeSnapshot } from './fold-snapshots.ts';
import { forgetParty } from './profile-memory.ts';
import { type KindFold, type Profiles, resetArena } from './profiles.ts';
import { settleDoubted } from './stay-behind.ts';
import { storeMade } from './store-folded.ts';
import { countReplies, takeReply } from './take-reply.ts';

/** A row of features for each transaction, in the order of the transactions. Throws a Failure. */
export function foldProfiles(
  profiles: Profiles,
  transactions: readonly DeliveredTransaction[],
): Promise<FeatureRows> {
  return profiles.inTurn(async () => {
    const begun = beginRows(arrivalsOfDelivered(transactions), profiles.amounts());
    const nowS = Math.floor(profiles.nowMs() / 1000);
    const folds = profiles.kinds.map((kind): KindFold => {
      const stamp = profiles.newStamp();
      const rebuilds = { missing: [], too_short: [], behind: [] };
      const waits = { rebuilds, doubted: [] };
      const fold = { ...profiles, ...kind, ...begun, ...waits, transactions, nowS, stamp };
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

async function appendAll(
  { market, logs, ttlSeconds }: Profiles,
  folds: readonly KindFold[],
): Promise<void> {
  for (;;) {
    const appends = folds.flatMap(({ asked }) => asked);
    if (appends.length === 0) return;
    const replies = await market.guards.redis.run(() => logs.append(market, ttlSeconds, appends));
    for (const fold of folds) takeReplies(fold, replies.splice(0, fold.asked.length));
    for (const fold of folds) await settleDoubted(fold);
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
  if (Object.values(rebuilds).every((parties) => parties.length === 0)) return;
  await installs.waitWhileFull();
  const mark = await fold.snapshots.mark();
  const { missing, tooShort } = await foldSnapshots(fold, mark);
  const { behind } = rebuilds;
  for (const [reason, parties] of Object.entries({ missing, too_short: tooShort, behind }))
    metrics.profileRebuilds.inc({ party: kind.party, reason }, parties.length);
  const isBehind = new Set(behind);
  await rebuildParties(
    fold,
    [...missing, ...tooShort, ...behind],
    () => resetArena(fold),
    (batchParty, profile) => {
      noteMark(profile, mark);
      if (isBehind.has(batchParty)) {
        storeEarlier(fold, batchParty, profile);
        return undefined;
      }
      if (profile.list.count >= fold.snapshots.rowsMin) {
        writeSnapshot(fold, batchParty, profile, mark);
      }
      storeMade(fold, batchParty, profile);
      return installs.waitWhileFull();
    },
  );
  fold.snapshotWrites.flush();
}
