/**
 * One batch, from delivered entries to settled ones:
 *
 *   decode ─▶ fold profiles ─▶ score (pure) ─▶ insert scores ─▶ dead letter rows ─▶ settle in Redis
 *
 * Every step may run again for the same transactions: folding finds what it took in, an insert that lost means
 * that the score is stored, and settling needs nothing but the ids. So a failure of a dependency is simply
 * thrown, and the step comes again.
 */
import { Failure } from '../../kit/words/failure.ts';
import type { Verdict } from '../domain/score-record.ts';
import type { FinalTransaction, Inserted, ScoreLineage } from '../store/scores/scores.ts';
import type { StoredScore } from '../store/scores/stored-scores.ts';
import type { EntryOrigin } from '../stream/entries/entry-head.ts';
import { acknowledge, acknowledgeStored, type Source } from './acknowledge.ts';
import type { BatchDependencies, BatchStore } from './batch-dependencies.ts';
import { divideEntry, type Left, releaseEntry, toHandOvers } from './build-settlements.ts';
import { conclude, replace } from './conclude-batch.ts';
import { countScored } from './count-batch.ts';
import { type Decided, decide, type HeldEntry, type Item, type Scored } from './item.ts';
import { type ReadEntries, readEntries, splitRepeated } from './read-entries.ts';
import { decideRetry } from './retry-policy.ts';
import { type ScoredItems, scoreItems } from './score-items.ts';

/** An entry of any other origin replaces one that a worker has held, whose scores may be stored already. */
const FIRST_ORIGINS: readonly EntryOrigin[] = ['ingest', 'reconciled'];

export type BatchSteps = {
  /** Decodes entries; those that cannot be processed are decided at once. */
  readonly read: (held: readonly HeldEntry[]) => ReadEntries;
  /** Leaves entries to workers that read their versions. */
  readonly handOver: (unread: readonly HeldEntry[]) => Promise<void>;
  /** Folds, scores and stores; throws where a whole batch failed. */
  readonly score: (items: readonly Item[]) => Promise<Decided[]>;
  /** Ends an attempt of a transaction that cannot be scored even alone. */
  readonly fail: (item: Item, failure: Failure) => Decided;
  /** Ends entries, all transactions of which are decided. */
  readonly conclude: (decided: readonly Decided[]) => Promise<Left>;
  /** Gives entries back without costing an attempt or a delivery. */
  readonly release: (held: readonly HeldEntry[]) => Promise<void>;
  /** Puts entries of one in the place of those of several. */
  readonly divide: (held: readonly HeldEntry[]) => Promise<void>;
};

export function createBatchSteps(dependencies: BatchDependencies): BatchSteps {
  const read = (held: readonly HeldEntry[]) => readEntries(dependencies.entries, held);
  const unsure = new WeakSet<Item>();
  return {
    read,
    handOver: (unread) => dependencies.handOver(toHandOvers(unread)),
    score: (items) => scoreBatch(dependencies, unsure, items),
    fail: (item, failure) => failItem(dependencies, item, failure),
    conclude: (decided) => conclude(dependencies, decided),
    async release(held) {
      // Unreadable entries stay pending: giving them up needs Postgres, which may be down.
      await replace(dependencies, read(held).items, releaseEntry);
    },
    async divide(held) {
      const { items, decided } = read(held);
      await replace(dependencies, items, divideEntry);
      await conclude(dependencies, decided);
    },
  };
}

/** @param unsure items whose scores a failed earlier try may have stored */
async function scoreBatch(
  dependencies: BatchDependencies,
  unsure: WeakSet<Item>,
  items: readonly Item[],
): Promise<Decided[]> {
  const { store, metrics, failpoint, judge } = dependencies;
  failpoint('worker-after-read');
  const { firsts, others } = splitRepeated(items);
  const sent = await scoreAndSend(dependencies, firsts, others);
  const { isNew, acknowledged } = await endStoring(store, sent, unsure).catch((error: unknown) => {
    for (const item of sent.scored) unsure.add(item);
    throw error;
  });
  failpoint('worker-after-commit');
  if (sent.shadows.length > 0) await judge.storeShadows(sent.shadows, sent.scoredAtMs);
  sent.endStore();
  countScored(metrics, sent, isNew);
  return [...sent.rest, ...acknowledged];
}

/** Waits for the insert. Where some scores were stored before, the stored score is what counts. */
async function endStoring(
  { readStoredScores }: BatchStore,
  { inserted, scored, sharing, acknowledged }: Sent,
  unsure: WeakSet<Item>,
) {
  const won = await inserted;
  const isNew = ({ transaction }: Item) => won === 'all' || won.has(transaction.transactionId);
  if (scored.every(isNew)) return { isNew, acknowledged };
  const items = [...scored, ...sharing];
  const stored = await readStoredScores(items.map(({ transaction }) => transaction));
  const scores = items.map((item) => {
    const decision = stored.get(item.transaction.transactionId);
    if (decision !== undefined) return { item, decision };
    throw new Failure('unavailable', 'SCORE_UNREADABLE', 'a stored score could not be read back');
  });
  const repeated = new Set(sharing);
  // The first delivery of a new score publishes it, and a first delivery has nothing of an old one to publish.
  const isElsewhere = (item: Item) => (isNew(item) ? repeated.has(item) : isFirst(item, unsure));
  return { isNew, acknowledged: acknowledgeStored(scores, isElsewhere) };
}

/**
 * True where this entry cannot have stored a score before. The entry that stores a score owes its event, so a score that was
 * already stored is another entry's to publish, unless an earlier worker or an earlier try of this entry may have stored it.
 */
function isFirst(item: Item, unsure: WeakSet<Item>): boolean {
  const { held, head } = item;
  const isNew = held.entry.deliveries === 1 && FIRST_ORIGINS.includes(head.origin);
  return isNew && !unsure.has(item);
}

/** A batch on its way to Postgres, without its decisions and vectors: nearly all of them would be promoted meanwhile. */
type Sent = {
  readonly inserted: Promise<Inserted>;
  readonly scoredAtMs: number;
  readonly scored: readonly Item[];
  /** A verdict each. */
  readonly verdicts: readonly Verdict[];
  /** Further deliveries, which share the scores of the first ones. */
  readonly sharing: readonly Item[];
  /** What holds where all scores are new. */
  readonly acknowledged: readonly Decided[];
  readonly rest: readonly Decided[];
  readonly shadows: ScoredItems['shadows'];
  readonly endStore: () => void;
};

/** Makes all that decisions are needed for before anybody waits. */
async function scoreAndSend(
  dependencies: BatchDependencies,
  firsts: readonly Item[],
  others: readonly Item[],
): Promise<Sent> {
  const { scorer, store, metrics, nowMs } = dependencies;
  const { scored, failed, shadows } = await foldAndScore(dependencies, firsts);
  const endStore = metrics.batchDuration.startTimer({ stage: 'store' });
  const { featureSchema, ruleSet } = scorer;
  const lineage = { scoredAtMs: nowMs(), featureSchema, ruleSet };
  const { sharing, unscored } = shareScores(others, scored);
  const computed: Source<Scored> = {
    scoredAtMsOf: () => lineage.scoredAtMs,
    recordOf: (one) => recordOf(one, lineage),
    isElsewhere: () => false,
  };
  return {
    acknowledged: [
      ...acknowledge(scored, computed),
      ...acknowledge(sharing, { ...computed, isElsewhere: () => true }),
    ],
    rest: [
      ...failed.map(({ item, failure }) => failItem(dependencies, item, failure)),
      // The first delivery goes on for all of them.
      ...unscored.map((item) => decide(item, { kind: 'acknowledge', published: null })),
    ],
    scored: scored.map(({ item }) => item),
    verdicts: scored.map(({ decision }) => decision.verdict),
    sharing: sharing.map(({ item }) => item),
    scoredAtMs: lineage.scoredAtMs,
    inserted: store.insertScores(scored, lineage, [...scored, ...sharing].map(toFinal)),
    ...{ shadows, endStore },
  };
}

function shareScores(
  others: readonly Item[],
  scored: readonly Scored[],
): { readonly sharing: readonly Scored[]; readonly unscored: readonly Item[] } {
  if (others.length === 0) return { sharing: [], unscored: others };
  const scores = new Map(scored.map((one) => [one.transaction.transactionId, one]));
  const scoreOf = ({ transaction }: Item) => scores.get(transaction.transactionId);
  const sharing = others.flatMap((item) => {
    const score = scoreOf(item);
    return score === undefined ? [] : { ...score, item };
  });
  return { sharing, unscored: others.filter((item) => scoreOf(item) === undefined) };
}

async function foldAndScore(
  dependencies: BatchDependencies,
  items: readonly Item[],
): ReturnType<typeof scoreItems> {
  const endFold = dependencies.metrics.batchDuration.startTimer({ stage: 'fold' });
  const rows = await dependencies.foldProfiles(items.map(({ transaction }) => transaction));
  endFold();
  const { scorer, judge, degradation } = dependencies;
  return await scoreItems(scorer, judge, degradation(), items, rows);
}

function failItem(
  { retryBaseMs, random }: BatchDependencies,
  item: Item,
  failure: Failure,
): Decided {
  return decide(item, decideRetry(retryBaseMs, item.head.attempt, failure, random()));
}

function toFinal({ item: { head, transaction } }: Scored): FinalTransaction {
  return { rowId: head.rowId, id: transaction };
}

function recordOf(scored: Scored, lineage: ScoreLineage): StoredScore {
  const { transaction, decision, model, attempts, degradation } = scored;
  const { transactionId, createdAtMs, accountId, corridor } = transaction;
  const { scoredAtMs, ruleSet } = lineage;
  return {
    ...{ transactionId, createdAtMs, accountId, corridor, ...decision },
    ...{ model, attempts, degradation, scoredAtMs, ruleSet },
  };
}
