/**
 * Folds a batch into the profiles it touches. One call appends the batch's records to the logs in Redis and answers with what
 * other workers appended; the copies in memory take both in, and what no copy reaches is rebuilt from Postgres.
 *
 * A copy is changed only after Redis has answered: an append without an answer is returned as appended since, so nothing is
 * folded twice.
 */
import type { DeliveredTransaction } from '../../domain/delivered.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { arrivalsOfDelivered } from '../../profile/arrivals.ts';
import { rebuildParties } from '../../profile/fold-batch.ts';
import { beginRows } from '../../profile/own-features.ts';
import { BLOCK_BYTES, beginRecords, endBlock, type LogEnd } from '../../profile/profile-log.ts';
import type { FeatureRows } from '../../score/feature-rows.ts';
import { profileKey, profileSlot } from '../../stream/keys.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import { foldSnapshots, writeSnapshot } from './fold-snapshots.ts';
import { findCopy, forgetParty, NO_COPY, stateOf } from './profile-memory.ts';
import { type BatchParty, type KindFold, type Profiles, resetArena } from './profiles.ts';
import { countReplies, storeMade, takeReply } from './take-reply.ts';

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
  if (rebuilds.missing.length + rebuilds.too_short.length === 0) return;
  await installs.waitWhileFull();
  const mark = await fold.snapshots.mark();
  const { missing, tooShort } = await foldSnapshots(fold, mark);
  metrics.profileRebuilds.inc({ party: kind.party, reason: 'missing' }, missing.length);
  metrics.profileRebuilds.inc({ party: kind.party, reason: 'too_short' }, tooShort.length);
  await rebuildParties(
    fold,
    [...missing, ...tooShort],
    () => resetArena(fold),
    (batchParty, profile) => {
      if (profile.list.count >= fold.snapshots.rowsMin) {
        writeSnapshot(fold, batchParty, profile, mark);
      }
      storeMade(fold, batchParty, profile);
      return installs.waitWhileFull();
    },
  );
  fold.snapshotWrites.flush();
}

/** A log's time to live is renewed at most once in this fraction of it, as each renewal costs a command. */
const RENEWALS_PER_LIFE = 8;
const NOT_YET: LogEnd = { length: 0, high: 0, low: 0 };
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

type NewFold = Omit<KindFold, 'asked'>;

/** The parties of a batch, in the order in which they first occur. */
export function batchParties(batch: NewFold): BatchParty[] {
  const { kind, transactions, arrivals, stamp } = batch;
  const groups = new Map<string, number[]>();
  for (let index = 0; index < transactions.length; index++) {
    const party = kind.partyOf(transactions[index] as Transaction);
    const group = groups.get(party);
    if (group === undefined) groups.set(party, [index]);
    else group.push(index);
  }
  const bytes = transactions.length * kind.recordBytes + groups.size * BLOCK_BYTES;
  const arena = new DataView(new ArrayBuffer(bytes));
  const parties: BatchParty[] = [];
  let at = 0;
  for (const [party, indices] of groups) {
    const batchParty = beginParty(batch, party, indices);
    const begin = at;
    at = beginRecords(arena, at, kind.layout.format, indices.length * kind.recordBytes);
    for (const index of indices) {
      kind.writeRecord(arena, at, arrivals, index);
      at += kind.recordBytes;
    }
    at = endBlock(arena, at, stamp);
    batchParty.block = new Uint8Array(arena.buffer, begin, at - begin);
    parties.push(batchParty);
  }
  return parties;
}

function beginParty(
  { kind, market, memory, nowS, ttlSeconds }: NewFold,
  party: string,
  indices: readonly number[],
): BatchParty {
  const copy = findCopy(memory, party);
  const state = copy === NO_COPY ? null : stateOf(memory, copy);
  const slot = state === null ? profileSlot(party) : state.slot;
  // Field by field: objects that are spread into it would take five times its bytes.
  return {
    party,
    key: profileKey(market.name, kind.party, party, slot),
    slot,
    indices,
    copy,
    state,
    known: state === null ? null : state.end,
    block: NO_BYTES,
    isToRenew: state !== null && state.renewedAtS < nowS - ttlSeconds / RENEWALS_PER_LIFE,
    end: NOT_YET,
    isStored: false,
    waiting: NOTHING,
  };
}
