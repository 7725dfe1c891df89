/**
 * Folds a batch of transactions into the profiles of one kind, asking for all rebuilds of a round at
 * once. Without I/O of its own: `loadPasts` is the caller's (one SQL statement a round).
 */
import type { Transaction } from '../domain/transaction.ts';
import type { Figures } from './figures.ts';
import type { Profile, ProfileHeader, ProfileKind } from './profile.ts';
import { type TakeRoom, takeOwn } from './room.ts';

/** What a batch has of one party. */
export type Holding<P> = {
  /** The current copy; a party without one is rebuilt, and the rebuilt profile is put here. */
  profile: P | undefined;
  /** Header that Redis holds for a party without a usable copy (unknown format). */
  readonly storedHeader: ProfileHeader | null;
};

export type FoldBatch<P extends Profile, History, Past> = {
  readonly kind: ProfileKind<P, History, Past>;
  /** In the order in which they are to be folded. */
  readonly transactions: readonly Transaction[];
  /** One a transaction. */
  readonly figures?: readonly Figures[];
  /** One a transaction, the same one for all of a party. */
  readonly holdings: readonly Holding<P>[];
  readonly loadPasts: (transactions: readonly Transaction[]) => Promise<readonly Past[]>;
  /** Where rebuilt profiles have their lists. */
  readonly take?: TakeRoom;
};

/** One history a transaction, in their order. Throws what `loadPasts` throws. */
export async function foldBatch<P extends Profile, History, Past>(
  batch: FoldBatch<P, History, Past>,
): Promise<History[]> {
  const { kind, transactions, loadPasts, take = takeOwn } = batch;
  const histories = new Array<History>(transactions.length);
  let waiting = transactions.map((_, index) => index);
  while (waiting.length > 0) {
    const round = foldRound(batch, histories, waiting);
    const points = [...round.around.values(), ...round.aside];
    if (points.length === 0) break;
    const pasts = await loadPasts(points.map((index) => at(transactions, index)));
    let next = 0;
    for (const holding of round.around.keys()) {
      const stored = holding.profile?.stored ?? holding.storedHeader;
      holding.profile = kind.rebuild(at(pasts, next++), stored, take);
    }
    for (const index of round.aside) {
      const outcome = kind.fold(kind.rebuild(at(pasts, next++), null), at(transactions, index));
      if (outcome.kind !== 'folded')
        throw new Error('a rebuilt profile did not fold its own point');
      histories[index] = outcome.history;
    }
    waiting = round.waiting;
  }
  return histories;
}

/**
 * Folds what can be folded. A party whose profile is missing or too short waits, with everything that
 * follows of it, for a rebuild around its first waiting transaction.
 */
function foldRound<P extends Profile, History, Past>(
  { kind, transactions, figures, holdings }: FoldBatch<P, History, Past>,
  histories: History[],
  indices: readonly number[],
) {
  const around = new Map<Holding<P>, number>();
  const aside: number[] = [];
  const waiting: number[] = [];
  for (const index of indices) {
    const transaction = at(transactions, index);
    const holding = at(holdings, index);
    if (around.size > 0 && around.has(holding)) {
      waiting.push(index);
      continue;
    }
    const { profile } = holding;
    const outcome =
      profile === undefined ? undefined : kind.fold(profile, transaction, figures?.[index]);
    if (outcome?.kind === 'folded') histories[index] = outcome.history;
    else if (outcome?.kind === 'late') aside.push(index);
    else {
      around.set(holding, index);
      waiting.push(index);
    }
  }
  return { around, aside, waiting };
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}
