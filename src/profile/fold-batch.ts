/**
 * Folds a batch of transactions into the profiles of one kind, asking for all rebuilds of a round at
 * once. Without I/O of its own: `loadPasts` is the caller's (one SQL statement a round).
 */
import type { Transaction } from '../domain/transaction.ts';
import type { Profile, ProfileHeader, ProfileKind } from './profile.ts';

export type FoldBatch<P extends Profile, History, Past> = {
  readonly kind: ProfileKind<P, History, Past>;
  /** In the order in which they are to be folded. */
  readonly transactions: readonly Transaction[];
  /**
   * Current copies by party, as loaded from the caches. A party without one is rebuilt; rebuilt
   * profiles are put here, so afterwards the map holds every profile of the batch.
   */
  readonly profiles: Map<string, P>;
  /** Header that Redis holds for a party without a usable copy (unknown format); usually empty. */
  readonly storedHeaders?: ReadonlyMap<string, ProfileHeader>;
  readonly loadPasts: (transactions: readonly Transaction[]) => Promise<readonly Past[]>;
};

/** One history a transaction, in their order. Throws what `loadPasts` throws. */
export async function foldBatch<P extends Profile, History, Past>({
  kind,
  transactions,
  profiles,
  storedHeaders,
  loadPasts,
}: FoldBatch<P, History, Past>): Promise<History[]> {
  const histories = new Array<History>(transactions.length);
  let waiting = transactions.map((_, index) => index);
  while (waiting.length > 0) {
    const round = foldRound({ kind, transactions, profiles, histories, waiting });
    const points = [...round.around.values(), ...round.aside];
    if (points.length === 0) break;
    const pasts = await loadPasts(points.map((index) => at(transactions, index)));
    let next = 0;
    for (const party of round.around.keys()) {
      const stored = profiles.get(party)?.stored ?? storedHeaders?.get(party) ?? null;
      profiles.set(party, kind.rebuild(at(pasts, next++), stored));
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

type Round<P extends Profile, History, Past> = {
  readonly kind: ProfileKind<P, History, Past>;
  readonly transactions: readonly Transaction[];
  readonly profiles: ReadonlyMap<string, P>;
  readonly histories: History[];
  readonly waiting: readonly number[];
};

/**
 * Folds what can be folded. A party whose profile is missing or too short waits, with everything that
 * follows of it, for a rebuild around its first waiting transaction.
 */
function foldRound<P extends Profile, History, Past>(round: Round<P, History, Past>) {
  const { kind, transactions, profiles, histories } = round;
  const around = new Map<string, number>();
  const aside: number[] = [];
  const waiting: number[] = [];
  for (const index of round.waiting) {
    const transaction = at(transactions, index);
    const party = kind.partyOf(transaction);
    if (around.has(party)) {
      waiting.push(index);
      continue;
    }
    const profile = profiles.get(party);
    const outcome = profile === undefined ? undefined : kind.fold(profile, transaction);
    if (outcome?.kind === 'folded') histories[index] = outcome.history;
    else if (outcome?.kind === 'late') aside.push(index);
    else {
      around.set(party, index);
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
