/**
 * Snapshots of profiles as src/core/store/profiles/profile-snapshots.ts and the trigger of sql/0001 have them. Commits are
 * numbered from 1, and each has ended before the next one begins.
 */
import { partyOfAddress } from '../../src/core/domain/personal.ts';
import type { PartyKind, Transaction } from '../../src/core/domain/transaction.ts';
import { comparePositions } from '../../src/core/domain/transaction.ts';
import type { NewSnapshot, SnapshotPast } from '../../src/core/store/profiles/profile-snapshots.ts';

/** Lateness from which on a commit says how far back its rows lie, and how far back readers look without such a word. */
const [LATE_MS, LOOK_BACK_MS] = [2000, 4000];
/** Commits of a bucket: few, so that buckets change. */
const BUCKET_COMMITS = 8;

/** Guards that a test takes out to see the simulation go red. */
export type SnapshotGuards = {
  readonly rowsSince: boolean;
  readonly labelVoids: boolean;
  readonly lateRows: boolean;
};

type Parties = Pick<Transaction, 'accountId' | 'merchantId' | 'deviceId' | 'ip'>;

const bucketOf = (commit: number) => Math.floor(commit / BUCKET_COMMITS);

export const partyOf = (kind: PartyKind, parties: Parties): string | null =>
  ({
    account: parties.accountId,
    merchant: parties.merchantId,
    device: parties.deviceId,
    address: partyOfAddress(parties.ip),
  })[kind];

export function createMemorySnapshots(guards: SnapshotGuards, nowMs: () => number) {
  const rows: { readonly row: Transaction; readonly commit: number }[] = [];
  const stored = new Map<string, NewSnapshot>();
  const voids: { readonly parties: Parties; readonly commit: number }[] = [];
  const late: { readonly bucket: number; readonly fromMs: number }[] = [];
  const reads = { all: 0, withRows: 0 };
  let commits = 0;

  const mark = () => ({ foldedTo: String(commits + 1), rowsFrom: String(nowMs()) });

  function pastOf(kind: PartyKind, point: Transaction): SnapshotPast | undefined {
    const party = partyOf(kind, point);
    const found = stored.get(`${kind} ${party}`);
    if (found === undefined) return undefined;
    const foldedTo = Number(found.foldedTo);
    const isOf = (parties: Parties) => partyOf(kind, parties) === party;
    if (voids.some(({ parties, commit }) => isOf(parties) && commit >= foldedTo)) return undefined;
    const sinceMs = Math.min(
      Number(found.rowsFrom) - LOOK_BACK_MS,
      ...late.flatMap(({ bucket, fromMs }) => (bucket >= bucketOf(foldedTo) ? fromMs : [])),
    );
    const since = rows
      .filter(({ row, commit }) => isOf(row) && commit >= foldedTo && row.createdAtMs >= sinceMs)
      .map(({ row }) => row);
    reads.all += 1;
    if (since.length > 0) reads.withRows += 1;
    return {
      snapshot: found.snapshot,
      rows: guards.rowsSince ? since.sort(comparePositions) : [],
    };
  }

  return {
    mark,
    read: (kind: PartyKind, points: readonly Transaction[]) =>
      points.map((point) => pastOf(kind, point)),
    store(kind: PartyKind, all: readonly NewSnapshot[]) {
      for (const one of all) {
        const key = `${kind} ${one.party}`;
        const known = stored.get(key);
        if (known === undefined || Number(known.foldedTo) < Number(one.foldedTo)) {
          stored.set(key, one);
        }
      }
    },
    /** A commit of new transactions. */
    commitRows(accepted: readonly Transaction[]) {
      commits += 1;
      for (const row of accepted) rows.push({ row, commit: commits });
      const fromMs = Math.min(...accepted.map(({ createdAtMs }) => createdAtMs));
      const bucket = bucketOf(commits);
      const isSaid = late.some((one) => one.bucket === bucket && one.fromMs <= fromMs);
      if (guards.lateRows && fromMs < nowMs() - LATE_MS && !isSaid) late.push({ bucket, fromMs });
    },
    commitLabel(parties: Parties) {
      commits += 1;
      if (guards.labelVoids) voids.push({ parties, commit: commits });
    },
    /** How many snapshots were read, and how many of them with rows that were stored since. */
    reads: () => reads,
  };
}
