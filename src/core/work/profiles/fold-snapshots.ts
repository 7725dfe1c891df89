/** Folds transactions into the profiles of parties that Redis has dropped, from their snapshots in Postgres. */
import type { Transaction } from '../../domain/transaction.ts';
import { arrivalOf } from '../../profile/arrivals.ts';
import { foldParty, mergeArrival } from '../../profile/fold-batch.ts';
import { AFTER_ALL } from '../../profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../profile/profile.ts';
import { encodeSnapshot, readLog } from '../../profile/profile.ts';
import {
  SNAPSHOTS_READ_MAX,
  type SnapshotMark,
  type SnapshotPast,
} from '../../store/profiles/profile-snapshots.ts';
import { storeMade } from './batch-parties.ts';
import type { BatchParty, KindFold } from './profiles.ts';

/** The parties that are to be rebuilt from rows. */
type Unfolded = {
  readonly missing: readonly BatchParty[];
  readonly tooShort: readonly BatchParty[];
};

/**
 * Folds the missing parties that have a snapshot, a page of them at a time.
 * @param mark of a moment before
 */
export async function foldSnapshots(fold: KindFold, mark: SnapshotMark): Promise<Unfolded> {
  const { metrics, rebuilds, snapshotReads } = fold;
  const [missing, tooShort] = [[] as BatchParty[], [...rebuilds.too_short]];
  const pageMax = SNAPSHOTS_READ_MAX[fold.kind.party];
  for (let done = 0; done < rebuilds.missing.length; done += pageMax) {
    const page = rebuilds.missing.slice(done, done + pageMax);
    if (!snapshotReads.isDue(page.length)) {
      missing.push(...page);
      continue;
    }
    const before = missing.length;
    await foldPage(fold, page, mark, { missing, tooShort });
    const absent = missing.length - before;
    snapshotReads.note(page.length, page.length - absent);
    metrics.cacheHits.inc(CACHE, page.length - absent);
    metrics.cacheMisses.inc(CACHE, absent);
  }
  return { missing, tooShort };
}

async function foldPage(
  fold: KindFold,
  page: readonly BatchParty[],
  mark: SnapshotMark,
  { missing, tooShort }: Record<'missing' | 'tooShort', BatchParty[]>,
): Promise<void> {
  const { snapshots, transactions, installs } = fold;
  const pasts = await snapshots.read(
    page.map(({ indices }) => transactions[indices[0] as number] as Transaction),
    fold.kind.numbers?.fields,
  );
  for (const [at, batchParty] of page.entries()) {
    const past = pasts[at];
    const outcome = past === undefined ? 'missing' : foldSnapshot(fold, batchParty, past, mark);
    if (outcome === 'missing') missing.push(batchParty);
    else if (outcome === 'too short') tooShort.push(batchParty);
  }
  await installs.waitWhileFull();
}

/** Folds a party; its transactions that the profile does not reach wait on. `missing` where only a rebuild can tell the profile. */
function foldSnapshot(
  fold: KindFold,
  batchParty: BatchParty,
  past: SnapshotPast,
  mark: SnapshotMark,
): 'folded' | 'missing' | 'too short' {
  const profile = readSnapshot(fold.kind, past, fold);
  if (profile === undefined) return 'missing';
  noteMark(profile, mark);
  const waiting = foldParty(fold, profile, batchParty.waiting);
  batchParty.waiting = waiting;
  if (waiting.length > 0) return 'too short';
  if (past.rows.length >= fold.snapshots.rowsMin) writeSnapshot(fold, batchParty, profile, mark);
  storeMade(fold, batchParty, profile);
  return 'folded';
}

const CACHE = { cache: 'folded_profiles', tier: 'postgres' } as const;

/** The profile as a rebuild would make it; undefined where only a rebuild can tell. */
function readSnapshot(
  kind: ProfileKind<Profile, unknown>,
  { snapshot, rows }: SnapshotPast,
  fold: Pick<KindFold, 'arena'>,
): Profile | undefined {
  const profile = readLog(kind, snapshot, fold.arena.reset())?.profile;
  if (profile === undefined) return undefined;
  for (const row of rows) {
    if (!mergeArrival(kind, profile, arrivalOf(row), 0)) return undefined;
  }
  return profile;
}

/** Notes that the profile was made of what was read after the mark. */
export function noteMark(profile: Profile, { foldedTo }: SnapshotMark): void {
  profile.countedTo = Number(foldedTo);
}

/** Stores the profile for a later miss. A profile with a ceiling folds no transaction beyond the ceiling, so it is left out. */
export function writeSnapshot(
  { kind, installs, newStamp, snapshotWrites }: KindFold,
  { party }: BatchParty,
  profile: Profile,
  mark: SnapshotMark,
): void {
  if (profile.ceiling !== AFTER_ALL) return;
  snapshotWrites.add(() => {
    const snapshot = encodeSnapshot(kind, profile, newStamp(), installs.take);
    return { party, snapshot, ...mark };
  });
}
