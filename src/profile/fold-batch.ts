/**
 * Folds a batch of transactions into the profiles of one kind, asking for all rebuilds of a round at
 * once. Without I/O of its own: `loadPasts` is the caller's.
 */
import { comparePositions } from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import { type FeatureRows, rowAt } from '../scoring/feature-rows.ts';
import type { Arrivals } from './arrivals.ts';
import type { Profile, ProfileHeader, ProfileKind } from './profile.ts';
import { type TakeRoom, takeOwn } from './room.ts';

/** What a batch has of one party. */
export type Holding<P> = {
  /** The current copy; a party without one is rebuilt, and the rebuilt profile is put here. */
  profile: P | undefined;
  /** Header that Redis holds for a party without a usable copy (unknown format). */
  readonly storedHeader: ProfileHeader | null;
};

/**
 * Gives one past a point, in their order, and none before it is asked for: a past of a busy merchant is 1,024 rows,
 * a batch may have a thousand of them, and a profile needs a tenth of their room.
 * @param missing how many of the points have no profile at all, the others one that does not reach them
 */
export type LoadPasts<Past> = (
  points: readonly Transaction[],
  missing: number,
) => AsyncIterable<Past>;

export type FoldBatch<P extends Profile, Past> = {
  readonly kind: ProfileKind<P, Past>;
  /** In the order in which they are to be folded. */
  readonly transactions: readonly Transaction[];
  /** One a transaction each, in their order. */
  readonly arrivals: Arrivals;
  readonly rows: FeatureRows;
  /** Which of them are to be folded, rising. */
  readonly indices: readonly number[];
  /** One a transaction, the same one for all of a party. */
  readonly holdings: readonly Holding<P>[];
  readonly loadPasts: LoadPasts<Past>;
  /** Where rebuilt profiles have their lists. */
  readonly take?: TakeRoom;
};

/** Fills the rows. Throws what `loadPasts` throws. */
export async function foldBatch<P extends Profile, Past>(batch: FoldBatch<P, Past>): Promise<void> {
  const { kind, loadPasts, take = takeOwn } = batch;
  let { waiting, points } = foldRound(batch, batch.indices, true);
  while (waiting.length > 0) {
    const rebuilt = [...points.keys()];
    const missing = rebuilt.filter(({ profile }) => profile === undefined).length;
    let next = 0;
    for await (const past of loadPasts([...points.values()], missing)) {
      const holding = at(rebuilt, next++);
      const stored = holding.profile?.stored ?? holding.storedHeader;
      holding.profile = kind.rebuild(past, stored, take);
    }
    const before = waiting.length;
    ({ waiting, points } = foldRound(batch, waiting, false));
    if (waiting.length === before) throw new Error('no rebuilt profile folded its own point');
  }
}

/**
 * Folds what can be folded. A party whose profile is missing or does not reach far enough waits, with everything
 * that follows of it, for a rebuild around the oldest that waits: what two corridors bring of one merchant may be
 * days apart, and a rebuild around either would not reach the other.
 * @param inOrder false where all profiles are just rebuilt: each knows the whole batch as far as it reaches, and
 *   folds what it reaches before what it does not
 */
function foldRound<P extends Profile, Past>(
  { kind, transactions, arrivals, rows, holdings }: FoldBatch<P, Past>,
  indices: readonly number[],
  inOrder: boolean,
) {
  /** What each party is to be rebuilt around. */
  const points = new Map<Holding<P>, Transaction>();
  const waiting: number[] = [];
  for (const index of indices) {
    const holding = at(holdings, index);
    const point = points.size > 0 ? points.get(holding) : undefined;
    if (point === undefined || !inOrder) {
      const { profile } = holding;
      if (profile && kind.fold(profile, arrivals, index, rows.values, rowAt(index))) continue;
    }
    waiting.push(index);
    const transaction = at(transactions, index);
    if (point === undefined || comparePositions(transaction, point) < 0) {
      points.set(holding, transaction);
    }
  }
  return { waiting, points };
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}
