/** Folds transactions into the profiles of parties that Redis has dropped, from their snapshots in Postgres. */
import type { Transaction } from '../../domain/transaction.ts';
import { arrivalOf } from '../../profile/arrivals.ts';
import { foldParty } from '../../profile/fold-batch.ts';
import { AFTER_ALL } from '../../profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../profile/profile.ts';
import { readLog } from '../../profile/profile-log.ts';
import {
  SNAPSHOTS_READ_MAX,
  type SnapshotMark,
  type SnapshotPast,
} from '../../store/profiles/profile-snapshots.ts';
import { type BatchParty, type KindFold, resetArena } from './profiles.ts';
import { storeSnapshot } from './take-reply.ts';

/** The parties that are to be rebuilt from rows. */
type Unfolded = {
  readonly missing: readonly BatchParty[];
  readonly tooShort: readonly BatchParty[];
  /** The rows of those that were missing are read after it; null where no party was. */
  readonly mark: SnapshotMark | null;
};

/** Folds the missing parties that have a snapshot, a page of them at a time. */
export async function foldSnapshots(fold: KindFold): Promise<Unfolded> {
  const { metrics, rebuilds, snapshots, transactions } = fold;
  const [missing, tooShort] = [[] as BatchParty[], [...rebuilds.too_short]];
  let mark: SnapshotMark | null = null;
  const pageMax = SNAPSHOTS_READ_MAX[fold.kind.party];
  for (let done = 0; done < rebuilds.missing.length; done += pageMax) {
    const page = rebuilds.missing.slice(done, done + pageMax);
    const points = page.map(({ indices }) => transactions[indices[0] as number] as Transaction);
    const read = await snapshots.read(points);
    // The mark of an earlier page is as right for later ones: more rows are read twice.
    mark ??= read.mark;
    for (const [at, batchParty] of page.entries()) {
      const past = read.pasts[at];
      if (past === undefined || !foldSnapshot(fold, batchParty, past, mark))
        missing.push(batchParty);
      else if (batchParty.waiting.length > 0) tooShort.push(batchParty);
    }
    await fold.installs.waitWhileFull();
  }
  metrics.cacheHits.inc(CACHE, rebuilds.missing.length - missing.length);
  metrics.cacheMisses.inc(CACHE, missing.length);
  return { mark, missing, tooShort };
}

/** Folds a party; its transactions that the profile does not reach wait on. False where only a rebuild can tell the profile. */
function foldSnapshot(
  fold: KindFold,
  batchParty: BatchParty,
  past: SnapshotPast,
  mark: SnapshotMark,
): boolean {
  const profile = readSnapshot(fold.kind, past, fold);
  if (profile === undefined) return false;
  batchParty.waiting = foldParty(fold, profile, batchParty.waiting);
  if (batchParty.waiting.length > 0) return true;
  const snapshot = storeSnapshot(fold, batchParty, profile);
  if (past.rows.length >= fold.snapshots.rowsMin) {
    writeSnapshot(fold, batchParty, profile, snapshot, mark);
  }
  return true;
}

const CACHE = { cache: 'folded_profiles', tier: 'postgres' } as const;
const RECORD_BYTES_MAX = 64;
const record = new DataView(new ArrayBuffer(RECORD_BYTES_MAX));

/** The profile as a rebuild would make it; undefined where only a rebuild can tell. */
function readSnapshot(
  kind: ProfileKind<Profile, unknown>,
  { snapshot, rows }: SnapshotPast,
  fold: Pick<KindFold, 'arena'>,
): Profile | undefined {
  const profile = readLog(kind, snapshot, resetArena(fold))?.profile;
  if (profile === undefined) return undefined;
  for (const row of rows) {
    kind.writeRecord(record, 0, arrivalOf(row), 0);
    if (!kind.merge(profile, record, 0)) return undefined;
  }
  return profile;
}

/** Keeps the profile for a later miss. A profile with a ceiling is not kept, as it folds no transaction beyond the ceiling. */
export function writeSnapshot(
  { snapshotWrites }: Pick<KindFold, 'snapshotWrites'>,
  { party }: BatchParty,
  { ceiling }: Profile,
  snapshot: Uint8Array,
  mark: SnapshotMark | null,
): void {
  if (mark !== null && ceiling === AFTER_ALL) snapshotWrites.add({ party, snapshot, ...mark });
}
