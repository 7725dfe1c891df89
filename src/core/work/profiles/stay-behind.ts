/**
 * Transactions far behind a profile that serves newer ones: the profile stays as it is, and an earlier profile serves these
 * transactions (earlier-profiles.ts). So a backlog and live traffic of one merchant do not rebuild the merchant's log for each other.
 *
 * The log counts each transaction once. A record before a merchant's list stays out of the log where Postgres proves that the log's
 * rebuild has read its row (store/profiles/counted-rows.ts). All other records are appended; a record that no profile takes in makes
 * its readers rebuild the log.
 */
import type { Transaction } from '../../domain/transaction.ts';
import { keyOfArrival } from '../../profile/arrivals.ts';
import { mergeArrival } from '../../profile/fold-batch.ts';
import { isFarBehind, type Profile } from '../../profile/profile.ts';
import { encodeSnapshot, readLog } from '../../profile/profile-log.ts';
import { appendAgain, waitForRebuild } from './batch-parties.ts';
import { foldEarlier } from './earlier-profiles.ts';
import { forgetParty } from './profile-memory.ts';
import { type BatchParty, type KindFold, resetArena } from './profiles.ts';
import { type Found, storeFolded, storeSnapshot } from './store-folded.ts';

/** Whether the profile is to stay as it is beside these transactions. */
export function areFarBehind(
  { arrivals, rowsAfter }: KindFold,
  profile: Profile,
  indices: readonly number[],
): boolean {
  return indices.every((index) => isFarBehind(profile, keyOfArrival(arrivals, index), rowsAfter));
}

type Unreached = {
  readonly found: Found;
  readonly isProven: boolean;
  /** Transactions that the profile does not reach. */
  readonly waiting: readonly number[];
};

/** Stores a profile whose unreached transactions are all far behind, and notes what is to be proven. */
export function stayBehind(
  fold: KindFold,
  batchParty: BatchParty,
  { found, isProven, waiting }: Unreached,
): void {
  const { kind, arrivals, memory, transactions, doubted } = fold;
  const { profile } = found;
  const { left, party } = batchParty;
  const { countedTo } = profile;
  batchParty.waiting = waiting;
  batchParty.countedTo = countedTo;
  const untaken = waiting.filter(
    (index) => !left.includes(index) && !mergeArrival(kind, profile, arrivals, index),
  );
  const rows = [...left, ...untaken].map((index) => ({
    row: transactions[index] as Transaction,
    countedTo,
  }));
  if (untaken.length === 0) {
    storeFolded(fold, batchParty, found, isProven);
    doubted.push({ batchParty, rows, snapshot: undefined });
    return;
  }
  // Until the proof the log has to stay as it is.
  const snapshot = encodeSnapshot(kind, profile, fold.stamp);
  forgetParty(memory, party);
  doubted.push({ batchParty, rows, snapshot });
}

/** Decides what becomes of the profiles that were kept. Throws a Failure. */
export async function settleDoubted(fold: KindFold): Promise<void> {
  const { snapshots, rebuilds } = fold;
  const doubted = fold.doubted.splice(0);
  const rows = doubted.flatMap((doubt) => doubt.rows);
  const counted = rows.length === 0 ? [] : await snapshots.areCounted(rows);
  for (const { batchParty, rows: own, snapshot } of doubted) {
    if (counted.splice(0, own.length).every(Boolean)) {
      if (snapshot !== undefined) mend(fold, batchParty, snapshot);
      if (!foldEarlier(fold, batchParty)) rebuilds.behind.push(batchParty);
    } else if (batchParty.left.length > 0) {
      appendAgain(fold, batchParty);
      fold.asked = [...fold.asked, batchParty];
    } else waitForRebuild(fold, batchParty, batchParty.waiting, rebuilds.too_short);
  }
}

/** Replaces a log that has this batch's records of counted rows, which no profile takes in. */
function mend(fold: KindFold, batchParty: BatchParty, snapshot: Uint8Array): void {
  const profile = readLog(fold.kind, snapshot, resetArena(fold))?.profile;
  if (profile !== undefined) storeSnapshot(fold, batchParty, profile);
}
