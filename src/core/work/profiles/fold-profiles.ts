/**
 * Folds a batch into the profiles it touches. One call appends the batch's records to the logs in Redis and answers with what
 * other workers appended; the copies in memory take both in, and what no copy reaches is rebuilt from Postgres.
 *
 * A copy is changed only after Redis has answered: an append without an answer is returned as appended since, so nothing is
 * folded twice.
 */

import type { FeatureRows } from '../../domain/feature-rows.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { type Numbers, numbersOf } from '../../profile/account-numbers.ts';
import { keyOfArrival } from '../../profile/arrivals.ts';
import { beginDayRows, type DayParts } from '../../profile/day-features.ts';
import { foldBeside, foldParty, rebuildParties } from '../../profile/fold-batch.ts';
import { AFTER_ALL, compareKeys } from '../../profile/packed-list.ts';
import type { Profile } from '../../profile/profile.ts';
import { lastStamp, mergeBlocks, readLog } from '../../profile/profile.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import {
  batchParties,
  countReplies,
  type Found,
  leaveWithoutProfile,
  storeFolded,
  storeMade,
  waitForRebuild,
} from './batch-parties.ts';
import { foldSnapshots, noteMark, writeSnapshot } from './fold-snapshots.ts';
import { type Copy, forgetParty, readProfile } from './profile-memory.ts';
import { type BatchParty, type KindFold, mayBeLate, type Profiles } from './profiles.ts';
import { noteRebuilding, partiesOf, rebuildAhead } from './rebuilding.ts';

/**
 * A row of features for each transaction, in the order of the transactions. Throws a Failure.
 * @param tables of the transactions' days
 */
export async function foldProfiles(
  profiles: Profiles,
  transactions: readonly Transaction[],
  tables: DayParts['tables'],
): Promise<FeatureRows> {
  const slots = profiles.slots();
  const numbers = numbersOf(slots);
  const whole = await reloadEarly(profiles, transactions, numbers);
  // Batches of a lane keep their order; those of the other lane pass while a batch waits for a rebuild.
  const { rows, rebuilt } = await profiles.inLane(async () => {
    for (;;) {
      await rebuildAhead(profiles);
      const begun = await profiles.inTurn(async () =>
        rebuildAhead(profiles) === undefined
          ? await beginFold(profiles, whole, { tables, slots }, numbers)
          : undefined,
      );
      if (begun !== undefined) return begun;
    }
  });
  await rebuilt;
  return rows;
}

/** Transactions with the values that they were sent without, as they were received before a number was declared. */
async function reloadEarly(
  { reload }: Profiles,
  transactions: readonly Transaction[],
  { wholeFromMs }: Numbers,
): Promise<readonly Transaction[]> {
  const early = transactions.filter(({ receivedAtMs }) => receivedAtMs < wholeFromMs);
  if (early.length === 0) return transactions;
  const stored = await reload(early.map(({ transactionId }) => transactionId));
  const declared = new Map(stored.map((known) => [known.transactionId, known.declared]));
  return transactions.map((known) => {
    return { ...known, declared: declared.get(known.transactionId) ?? known.declared };
  });
}

/** Promises are returned within objects, as an async function waits for a promise that it returns. */
async function beginFold(
  profiles: Profiles,
  transactions: readonly Transaction[],
  parts: DayParts,
  numbers: Numbers,
) {
  const begun = beginDayRows(transactions, parts, numbers);
  const nowS = Math.floor(profiles.nowMs() / 1000);
  const { tables } = parts;
  const folds = profiles.kinds.map((own): KindFold => {
    const wide = numbers.version === 0 ? undefined : own.kind.withNumbers?.(numbers);
    const kind = wide ?? own.kind;
    const stamp = profiles.newStamp();
    const waits = { ...nothingWaits(), crowded: new Set<string>() };
    const common = { ...begun, ...waits, transactions, tables, nowS, stamp };
    const fold = { ...profiles, ...own, ...common, kind };
    return { ...fold, asked: batchParties(fold) };
  });
  await dropLogs(profiles, folds, ({ crowded }) => [...crowded]);
  const busy = folds.map((fold) => {
    const asked = fold.asked.filter(({ party }) => fold.rebuilding.has(party));
    fold.asked = fold.asked.filter(({ party }) => !fold.rebuilding.has(party));
    return { ...fold, ...nothingWaits(), asked };
  });
  const { rebuilt } = await foldAsked(profiles, folds);
  return { rows: begun.rows, rebuilt: allEnded([rebuilt, foldBusy(profiles, busy)]) };
}

const nothingWaits = () => ({
  rebuilds: { missing: [], too_short: [], behind: [] },
  withoutProfile: [],
});

async function foldAsked(profiles: Profiles, folds: readonly KindFold[]) {
  await appendAll(profiles, folds).finally(profiles.installs.flush);
  await dropLogs(profiles, folds, (fold) => fold.withoutProfile.map(({ party }) => party));
  for (const { kind, memory, metrics } of folds)
    metrics.profileCopiesBytes.set({ party: kind.party }, memory.bytes);
  return { rebuilt: beginRebuild(profiles, folds) };
}

/**
 * Folds parties that earlier batches rebuild, once these rebuilds have ended. The batch's other parties do not wait: in batches of 1,000
 * transactions that mostly miss, nearly each batch shares a party with the batch before.
 */
async function foldBusy(profiles: Profiles, folds: readonly KindFold[]): Promise<void> {
  const parties = partiesOf(folds, ({ asked }) => asked);
  if (parties.length === 0) return;
  const ahead = Promise.all(parties.map(({ rebuilding, party }) => rebuilding.get(party)));
  const folded = ahead.then(async () => {
    const { rebuilt } = await profiles.inTurn(() => foldAsked(profiles, folds));
    await rebuilt;
  });
  noteRebuilding(parties, folded);
  await folded;
}

/** Rebuilds what waits, and notes the parties until then; late parties wait for no rebuild, and nobody waits for them. */
function beginRebuild(profiles: Profiles, folds: readonly KindFold[]): Promise<void> {
  const parties = partiesOf(folds, ({ rebuilds }) => Object.values(rebuilds).flat());
  // Snapshots of what was rebuilt are on their way while the next batch folds on.
  const rebuilds = folds.map((fold) => rebuildProfiles(fold).finally(profiles.installs.flush));
  // Parties of `foldBusy` are noted already, and for longer than this rebuild.
  noteRebuilding(
    parties.filter(({ rebuilding, party }) => !rebuilding.has(party)),
    Promise.allSettled(rebuilds),
  );
  return allEnded(folds.map((fold, at) => rebuilds[at]?.then(() => foldLate(fold))));
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

/** Drops the logs of parties: none of them is to be believed, as these transactions are in no log. */
async function dropLogs(
  { market, logs }: Profiles,
  folds: readonly KindFold[],
  idsOf: (fold: KindFold) => readonly string[],
): Promise<void> {
  const parties = folds.flatMap((fold) => idsOf(fold).map((id) => ({ kind: fold.kind.party, id })));
  if (parties.length === 0) return;
  await market.guards.redis.run(() => logs.drop(market, parties));
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

/** Where one fails the others end too: a batch that failed leaves nothing behind that still folds. */
async function allEnded(kinds: readonly (Promise<void> | undefined)[]): Promise<void> {
  await Promise.allSettled(kinds);
  await Promise.all(kinds);
}

async function foldLate(fold: KindFold): Promise<void> {
  const { kind, late, metrics, withoutProfile } = fold;
  const indices = withoutProfile.flatMap((waiting) => waiting.indices);
  if (late === undefined || indices.length === 0) return;
  metrics.profileRebuilds.inc({ party: kind.party, reason: 'late' }, indices.length);
  await late.fold(fold, indices, fold.inTurn === fold.urgently);
}

async function rebuildProfiles(fold: KindFold): Promise<void> {
  const { kind, late, metrics, installs, rebuilds } = fold;
  if (Object.values(rebuilds).every((parties) => parties.length === 0)) return;
  await installs.waitWhileFull();
  const mark = await fold.snapshots.mark();
  const { missing, tooShort } = await foldSnapshots(fold, mark);
  const { behind } = rebuilds;
  for (const [reason, parties] of Object.entries({ missing, too_short: tooShort, behind }))
    metrics.profileRebuilds.inc({ party: kind.party, reason }, parties.length);
  await rebuildParties(
    fold,
    [...missing, ...tooShort, ...behind],
    () => fold.arena.reset(),
    (batchParty, profile) => {
      // A profile with all later rows reaches further back than that of the party, and replaces it.
      if (behind.includes(batchParty) && profile.ceiling !== AFTER_ALL) return undefined;
      noteMark(profile, mark);
      if (profile.list.count >= fold.snapshots.rowsMin) {
        writeSnapshot(fold, batchParty, profile, mark);
      }
      storeMade(fold, batchParty, profile);
      return installs.waitWhileFull();
    },
    ({ party, waiting }) =>
      late !== undefined &&
      mayBeLate(fold, fold.transactions[waiting[0] ?? -1]) &&
      leaveWithoutProfile(fold, party, waiting),
  );
  fold.snapshotWrites.flush();
}

/** Folds a party's transactions, or puts the party where it waits. False when it has to be asked again. */
function takeReply(batch: KindFold, batchParty: BatchParty, reply: LogReply): boolean {
  const { kind, late, rebuilds, stamp } = batch;
  if (reply.lacks === 'later') return false;
  noteEnd(batch, batchParty, reply);
  const isProven = reply.lacks === 'nothing' || reply.lacks === 'since';
  // A whole log is read without the batch's own block, which may stand in it: its transactions are folded in their order.
  const found = isProven
    ? batchParty.copy && readCopy(batch, batchParty.copy, reply)
    : readLog(kind, reply.bytes, batch.arena.reset(), stamp);
  if (found === undefined) {
    waitForRebuild(batch, batchParty, batchParty.indices, rebuilds.missing);
    return true;
  }
  const { profile } = found;
  const waiting = foldParty(batch, profile, batchParty.indices);
  const isLarge = late !== undefined && profile.list.count >= late.rowsMin;
  if (waiting.length === 0) storeFolded(batch, batchParty, found, isProven);
  else if (isLarge && isBehind(batch, profile, waiting[0])) {
    leaveWithoutProfile(batch, batchParty.party, waiting);
  } else if (!isLarge && isBehind(batch, profile, waiting.at(-1))) {
    // A profile around the late ones would end before what is stored already, and each further batch would wait for a rebuild.
    batchParty.waiting = foldBeside(batch, profile, waiting);
    storeFolded(batch, batchParty, found, isProven);
    rebuilds.behind.push(batchParty);
  } else waitForRebuild(batch, batchParty, waiting, rebuilds.too_short);
  return true;
}

/** Whether a transaction that waits comes later than the profile can take in, and not earlier. */
function isBehind({ arrivals }: KindFold, { ceiling }: Profile, waiting = -1): boolean {
  return compareKeys(keyOfArrival(arrivals, waiting), ceiling) <= 0;
}

/** Where the log ends now, with what the caller lacked of it and the block. */
function noteEnd(
  { stamp }: KindFold,
  batchParty: BatchParty,
  { lacks, bytes, isStored }: LogReply,
): void {
  const { block, known } = batchParty;
  const before = lacks === 'whole' || lacks === 'absent' ? 0 : (known?.length ?? 0);
  const length = before + bytes.length + block.length;
  // Where nothing was appended, the last block may be another worker's.
  const isRead = block.length === 0;
  batchParty.isStored = isRead ? lacks !== 'absent' : isStored;
  const { high, low } = isRead ? (bytes.length > 0 ? lastStamp(bytes) : (known ?? stamp)) : stamp;
  batchParty.end = { length, high, low };
}

function readCopy(batch: KindFold, copy: Copy, { bytes }: LogReply): Found | undefined {
  const { kind, metrics } = batch;
  const profile = readProfile(kind, copy, batch.arena.reset());
  if (profile === undefined) return undefined;
  if (bytes.length > 0) {
    const merged = mergeBlocks(kind, profile, bytes);
    if (merged < 0) return undefined;
    metrics.profileRecordsMerged.inc({ party: kind.party }, merged);
  }
  return { profile, snapshotBytes: copy.snapshotBytes };
}
