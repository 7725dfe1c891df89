/**
 * Observations of a run, and breaches that only show at that moment. The world writes them; checks.ts compares
 * them with the state at rest.
 */
import type { PartyKind, Transaction } from '../../src/core/domain/transaction.ts';
import { comparePositions } from '../../src/core/domain/transaction.ts';
import type { NewScore } from '../../src/core/store/scores/score-values.ts';
import { partyOf } from './memory-snapshots.ts';
import type { EventRow, StreamObserver } from './memory-stream.ts';

export type Event = { readonly entryId: string; readonly event: EventRow };

/** A transaction's siblings at two moments that bound what the transaction's fold may have seen. */
export type Sight = {
  /** Scored before the transaction was first delivered: the fold must see these. */
  readonly scoredBefore: ReadonlySet<string>;
  /** Labels whose profiles were invalidated by then: the first so many, unless some were done out of turn. */
  readonly labelsTold: number;
};

export type Journal = ReturnType<typeof createJournal>;

export function createJournal() {
  const counts = () => new Map<string, number>();
  return {
    breaches: [] as string[],
    /** Readable steps, for a run that failed. */
    trace: [] as string[],
    /** Events that Redis still holds, and those that it held when a rollback's moment was remembered. */
    events: [] as Event[],
    eventsRemembered: [] as readonly Event[],
    /** How often a transaction was put into a stream, retries and releases aside. */
    appends: counts(),
    retries: counts(),
    releases: counts(),
    /** How often the scorer met it, and how often that ended the process. */
    scorings: counts(),
    crashes: counts(),
    sights: new Map<string, Sight>(),
    /** Earlier siblings that were committed when the score was. */
    knownAtScore: new Map<string, ReadonlySet<string>>(),
    /** Labels that were committed when the score was: the first so many. */
    labelsAtScore: counts(),
    /** Transactions that the reconciler has appended although it could have found their row in an entry. */
    doubled: 0,
    /** Rows that a reconciler has appended and not noted yet: the next leader appends them again if this one dies. */
    fedUnnoted: new Set<string | null>(),
    /** Entries that became unreadable. */
    spoilt: 0,
    deliveriesMax: 0,
    /** Faults and disasters that may have cost entries a delivery. */
    disturbances: 0,
  };
}

export function raise(counts: Map<string, number>, id: string): number {
  const count = (counts.get(id) ?? 0) + 1;
  counts.set(id, count);
  return count;
}

const PARTIES: readonly PartyKind[] = ['account', 'merchant', 'device', 'address'];

/** The transactions before this one in the order of events, of one of its parties. */
export function earlierSiblings(
  transactions: Iterable<Transaction>,
  point: Transaction,
): Transaction[] {
  return [...transactions].filter(
    (other) =>
      other.transactionId !== point.transactionId &&
      PARTIES.some((kind) => partyOf(kind, other) === (partyOf(kind, point) ?? undefined)) &&
      comparePositions(other, point) < 0,
  );
}

export type Witness = {
  readonly isScored: (transactionId: string) => boolean;
  /** True where something keeps the transaction from being lost. */
  readonly isKept: (transactionId: string) => boolean;
  readonly scoredIds: () => Iterable<string>;
  readonly toldLabels: () => number;
};

export function observeStreams(journal: Journal, witness: Witness): StreamObserver {
  return {
    delivered(transactionIds, deliveries) {
      journal.deliveriesMax = Math.max(journal.deliveriesMax, deliveries);
      for (const id of transactionIds) {
        if (journal.sights.has(id)) continue;
        journal.sights.set(id, {
          scoredBefore: new Set(witness.scoredIds()),
          labelsTold: witness.toldLabels(),
        });
      }
    },
    ended(id, outcome) {
      if (id === undefined) {
        if (outcome !== 'acknowledged') journal.breaches.push(`${outcome}, and gone before`);
        return;
      }
      if (outcome === 'retry') raise(journal.retries, id);
      if (outcome === 'released') raise(journal.releases, id);
      if (!witness.isKept(id)) journal.breaches.push(`${outcome} and kept nowhere: ${id}`);
    },
    scored(event, entryId) {
      const { transactionId } = event;
      journal.events.push({ event, entryId });
      if (!witness.isScored(transactionId)) {
        journal.breaches.push(`event before its score: ${transactionId}`);
      }
    },
  };
}

export function observeScores(
  journal: Journal,
  transactions: ReadonlyMap<string, Transaction>,
  labels: number,
): (score: NewScore) => void {
  return ({ transaction: { transactionId } }) => {
    const own = transactions.get(transactionId);
    if (own === undefined) {
      journal.breaches.push(`score of an unknown transaction: ${transactionId}`);
      return;
    }
    const known = earlierSiblings(transactions.values(), own);
    journal.labelsAtScore.set(transactionId, labels);
    journal.knownAtScore.set(transactionId, new Set(known.map((one) => one.transactionId)));
  };
}
