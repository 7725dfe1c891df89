/**
 * Folds a batch's transactions into the profiles of one kind, one party at a time. Parties whose profiles do not reach far
 * enough wait for rebuilds, which are requested all at once.
 */
import { comparePositions } from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import { rowAt } from '../score/feature-rows.ts';
import type { Arrivals } from './arrivals.ts';
import type { BegunRows } from './own-features.ts';
import type { Profile, ProfileKind } from './profile.ts';

/** The part of a batch that concerns one kind of profile: transactions, with an arrival and a row each. */
export type KindBatch<P extends Profile, Past> = BegunRows & {
  readonly kind: ProfileKind<P, Past>;
  readonly transactions: readonly Transaction[];
};

/**
 * Yields one past a point, in their order, and none before it is requested: a past of a busy merchant is 1,024
 * rows.
 */
export type LoadPasts<Past> = (points: readonly Transaction[]) => AsyncIterable<Past>;

/** A party whose profile is to be rebuilt, with the indices of its transactions that wait for it. */
export type Waiting = { waiting: readonly number[] };

const RECORD_BYTES_MAX = 64;
const record = new DataView(new ArrayBuffer(RECORD_BYTES_MAX));

/** As `merge` of the arrival's record. */
export function mergeArrival<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  profile: P,
  arrivals: Arrivals,
  arrival: number,
): boolean {
  kind.writeRecord(record, 0, arrivals, arrival);
  return kind.merge(profile, record, 0);
}

/** Folds a party's transactions. Returns the indices of those that its profile does not reach. */
export function foldParty<P extends Profile, Past>(
  { kind, arrivals, rows }: KindBatch<P, Past>,
  profile: P,
  indices: readonly number[],
): readonly number[] {
  const { values } = rows;
  return indices.filter((index) => !kind.fold(profile, arrivals, index, values, rowAt(index)));
}

/**
 * Rebuilds the profile of each party around its oldest waiting transaction and folds those that wait; repeats
 * where that does not reach all. Throws what `loadPasts` throws.
 * @param onFolded takes the profile of a party without waiting transactions
 */
export async function rebuildParties<P extends Profile, Past, Party extends Waiting>(
  batch: KindBatch<P, Past> & { readonly loadPasts: LoadPasts<Past> },
  parties: readonly Party[],
  onFolded: (party: Party, profile: P) => Promise<void> | undefined,
): Promise<void> {
  const { kind, loadPasts } = batch;
  for (let left = parties; left.length > 0; ) {
    const points = left.map(({ waiting }) => oldest(batch.transactions, waiting));
    const unfinished: Party[] = [];
    let next = 0;
    for await (const past of loadPasts(points)) {
      const party = left[next++];
      if (party === undefined) throw new Error('more pasts than points');
      const profile = kind.rebuild(past);
      const before = party.waiting.length;
      // A rebuilt profile knows the whole batch as far as it reaches; what it reaches is folded first.
      party.waiting = foldParty(batch, profile, party.waiting);
      if (party.waiting.length === before) throw new Error('a rebuilt profile folds its own point');
      if (party.waiting.length > 0) unfinished.push(party);
      else await onFolded(party, profile);
    }
    left = unfinished;
  }
}

function oldest(transactions: readonly Transaction[], indices: readonly number[]): Transaction {
  return indices
    .map((index) => transactions[index] as Transaction)
    .reduce((one, other) => (comparePositions(other, one) < 0 ? other : one));
}
