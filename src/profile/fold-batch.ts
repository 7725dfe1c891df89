/**
 * Folds a batch's transactions into the profiles of one kind, party by party: no profile depends on another, so one at
 * a time is in hand. What the profiles at hand do not reach waits for rebuilds, which are asked for all at once.
 * Without I/O of its own: `loadPasts` is the caller's.
 */
import { comparePositions } from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import { rowAt } from '../scoring/feature-rows.ts';
import type { BegunRows } from './own-features.ts';
import type { Profile, ProfileKind } from './profile.ts';
import type { TakeRoom } from './room.ts';

/** What a batch brings to one kind of profile: transactions, and for each an arrival and a row. */
export type KindBatch<P extends Profile, Past> = BegunRows & {
  readonly kind: ProfileKind<P, Past>;
  readonly transactions: readonly Transaction[];
};

/** Gives one past a point, in their order, and none before it is asked for: a past of a busy merchant is 1,024 rows. */
export type LoadPasts<Past> = (points: readonly Transaction[]) => AsyncIterable<Past>;

/** A party whose profile is to be rebuilt, with the indices of its transactions that wait for that. */
export type Waiting = { waiting: readonly number[] };

/**
 * Folds a party's transactions. Returns the indices of those that its profile does not reach, with everything behind
 * the first of them: what two corridors bring of one merchant may be days apart, and a rebuild around either would not
 * reach the other.
 */
export function foldParty<P extends Profile, Past>(
  { kind, arrivals, rows }: KindBatch<P, Past>,
  profile: P,
  indices: readonly number[],
): readonly number[] {
  const { values } = rows;
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at] as number;
    if (!kind.fold(profile, arrivals, index, values, rowAt(index))) return indices.slice(at);
  }
  return [];
}

/**
 * Rebuilds the profile of each party around its oldest transaction that waits, and folds what waits; again where that
 * does not reach everything. Throws what `loadPasts` throws.
 * @param take gives each profile its room
 * @param onFolded takes the profile of a party of which nothing waits any more
 */
export async function rebuildParties<P extends Profile, Past, Party extends Waiting>(
  batch: KindBatch<P, Past> & { readonly loadPasts: LoadPasts<Past> },
  parties: readonly Party[],
  take: () => TakeRoom,
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
      const profile = kind.rebuild(past, take());
      const before = party.waiting.length;
      party.waiting = foldReached(batch, profile, party.waiting);
      if (party.waiting.length === before) throw new Error('a rebuilt profile folds its own point');
      if (party.waiting.length > 0) unfinished.push(party);
      else await onFolded(party, profile);
    }
    left = unfinished;
  }
}

/** A profile that was just rebuilt knows the whole batch as far as it reaches, and folds what it reaches first. */
function foldReached<P extends Profile, Past>(
  { kind, arrivals, rows }: KindBatch<P, Past>,
  profile: P,
  indices: readonly number[],
): readonly number[] {
  return indices.filter((index) => !kind.fold(profile, arrivals, index, rows.values, rowAt(index)));
}

function oldest(transactions: readonly Transaction[], indices: readonly number[]): Transaction {
  return indices
    .map((index) => transactions[index] as Transaction)
    .reduce((one, other) => (comparePositions(other, one) < 0 ? other : one));
}
