/**
 * One batch, from delivered entries to settled ones:
 *
 *   decode ─▶ fold profiles ─▶ score (pure) ─▶ insert scores ─▶ dead letter rows ─▶ settle in Redis
 *
 * Every step may run again for the same transactions: folding finds what it took in, an insert that lost means
 * that the score is stored, and settling needs nothing but the ids. So a failure of a dependency is simply
 * thrown, and the step comes again.
 */
import { Failure } from '../domain/failure.ts';
import { toScoreJson } from '../domain/score-record.ts';
import { createFeatureRows } from '../scoring/feature-rows.ts';
import type { InsertScores, ScoreLineage, StoredScore } from '../store/scores.ts';
import type { EntryOrigin } from '../stream/entry.ts';
import type { EntryReader, HandEntriesOver } from '../stream/versions.ts';
import {
  type ConcludeDependencies,
  type ConcludeStore,
  conclude,
  replace,
} from './conclude-batch.ts';
import { countScored } from './count-batch.ts';
import { type Decided, decide, type HeldEntry, type Item, type Scored } from './item.ts';
import type { FoldProfiles } from './profiles/fold-profiles.ts';
import { type ReadEntries, readEntries, splitRepeated } from './read-entries.ts';
import { decideRetry, type RetryPolicy } from './retry-policy.ts';
import { type BatchModels, scoreItems } from './score-items.ts';
import type { Scorer } from './scorer.ts';
import { divideEntry, type Left, releaseEntry, toHandOvers } from './settle-batch.ts';

/** What became of the scores: those that were stored before, by id, and what all others have in common. */
type Stored = {
  readonly lineage: ScoreLineage;
  readonly before: ReadonlyMap<string, StoredScore>;
};

const NONE: ReadonlyMap<string, StoredScore> = new Map();

/** An entry of any other origin replaces one that a worker has held, whose scores may be stored already. */
const FIRST_ORIGINS: readonly EntryOrigin[] = ['ingest', 'reconciled'];

/** What a worker needs of Postgres. */
export type BatchStore = ConcludeStore & { readonly insertScores: InsertScores };

export type BatchDependencies = ConcludeDependencies & {
  readonly entries: EntryReader;
  readonly handOver: HandEntriesOver;
  readonly foldProfiles: FoldProfiles;
  readonly scorer: Scorer;
  readonly store: BatchStore;
  readonly retryPolicy: RetryPolicy;
  readonly random: () => number;
  /** Level at which the process runs, stored with each score; 0 where nobody measures it. */
  readonly degradation?: () => number;
  /** Without them the rules decide alone. */
  readonly models?: BatchModels;
};

export type BatchSteps = {
  /** Takes entries apart; what cannot be worked on is decided at once. */
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
  readonly release: (held: readonly HeldEntry[]) => Promise<Left>;
  /** Puts entries of one in the place of those of several. */
  readonly divide: (held: readonly HeldEntry[]) => Promise<Left>;
};

export function createBatchSteps(dependencies: BatchDependencies): BatchSteps {
  const read = (held: readonly HeldEntry[]) => readEntries(dependencies.entries, held);
  const unsure = new WeakSet<Item>();
  return {
    read(held) {
      const batch = read(held);
      dependencies.metrics.batchTransactions.observe(batch.items.length);
      return batch;
    },
    async handOver(unread) {
      await dependencies.handOver(toHandOvers(unread));
      dependencies.metrics.handedOver.inc(unread.length);
    },
    score: (items) => scoreBatch(dependencies, unsure, items),
    fail: (item, failure) => failItem(dependencies, item, failure),
    conclude: (decided) => conclude(dependencies, decided),
    async release(held) {
      // What cannot be read stays pending: giving it up needs Postgres, which may be what is missing.
      return await replace(dependencies, read(held).items, releaseEntry);
    },
    async divide(held) {
      const { items, decided } = read(held);
      const left = await replace(dependencies, items, divideEntry);
      return new Map([...left, ...(await conclude(dependencies, decided))]);
    },
  };
}

/** @param unsure items whose scores a failed earlier try may have stored */
async function scoreBatch(
  dependencies: BatchDependencies,
  unsure: WeakSet<Item>,
  items: readonly Item[],
): Promise<Decided[]> {
  const { metrics, failpoint, nowMs } = dependencies;
  failpoint('worker-after-read');
  const { firsts, others } = splitRepeated(items);
  const { scored, failed, shadows } = await foldAndScore(dependencies, firsts);
  const endStore = metrics.batchDuration.startTimer({ stage: 'store' });
  const scoredAtMs = nowMs();
  const stored = await storeScores(dependencies, scored, scoredAtMs).catch((error: unknown) => {
    for (const { item } of scored) unsure.add(item);
    throw error;
  });
  failpoint('worker-after-commit');
  if (shadows.length > 0) await dependencies.models?.storeShadows(shadows, scoredAtMs);
  endStore();
  countScored(metrics, scored, stored.before, scoredAtMs);
  return [
    ...failed.map(({ item, failure }) => failItem(dependencies, item, failure)),
    ...scored.map((one) => {
      const isOld = stored.before.size > 0 && stored.before.has(one.transaction.transactionId);
      return acknowledge(one, stored, isOld && isFirst(one.item, unsure));
    }),
    ...settleRepeated(others, scored, stored, unsure),
  ];
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

/** Further deliveries of a transaction share its score; where there is none, the first goes on for all of them. */
function settleRepeated(
  others: readonly Item[],
  scored: readonly Scored[],
  stored: Stored,
  unsure: WeakSet<Item>,
): Decided[] {
  if (others.length === 0) return [];
  const scores = new Map(scored.map((one) => [one.transaction.transactionId, one]));
  return others.map((item) => {
    const score = scores.get(item.transaction.transactionId);
    if (score === undefined) return decide(item, { kind: 'acknowledge', published: null });
    const isNew = !stored.before.has(item.transaction.transactionId);
    return acknowledge({ ...score, item }, stored, isNew || isFirst(item, unsure));
  });
}

async function foldAndScore(
  dependencies: BatchDependencies,
  items: readonly Item[],
): ReturnType<typeof scoreItems> {
  const endFold = dependencies.metrics.batchDuration.startTimer({ stage: 'fold' });
  const transactions = items.map((item) => item.transaction);
  const rows =
    items.length === 0 ? createFeatureRows(0) : await dependencies.foldProfiles(transactions);
  endFold();
  const { scorer, models, degradation } = dependencies;
  return await scoreItems({ scorer, models, level: degradation?.() ?? 0 }, items, rows);
}

function failItem(
  { retryPolicy, random }: BatchDependencies,
  item: Item,
  failure: Failure,
): Decided {
  const decision = decideRetry(retryPolicy, item.head.attempt, failure, random());
  if (decision.kind === 'dead-letter') return decide(item, { kind: 'dead-letter', failure });
  return decide(item, { kind: 'retry', afterMs: decision.afterMs, failure });
}

/** Inserts, and reads what was stored before: then the stored score is what counts. */
async function storeScores(
  { store, scorer }: BatchDependencies,
  scored: readonly Scored[],
  scoredAtMs: number,
): Promise<Stored> {
  const { featureSchema, ruleSet } = scorer;
  const lineage = { scoredAtMs, featureSchema, ruleSet };
  const won = await store.insertScores(scored, lineage);
  if (won === 'all') return { lineage, before: NONE };
  const lost = scored
    .map(({ transaction }) => transaction)
    .filter(({ transactionId }) => !won.has(transactionId));
  if (lost.length === 0) return { lineage, before: NONE };
  const before = await store.readStoredScores(lost);
  if (before.size < lost.length) {
    throw new Failure('unavailable', 'SCORE_UNREADABLE', 'a stored score could not be read back');
  }
  return { lineage, before };
}

/**
 * Acknowledges an item with the stored score, as its event and as the reply of a request that waits for it.
 * @param isTold true where another entry publishes the score
 */
function acknowledge(scored: Scored, { lineage, before }: Stored, isTold: boolean): Decided {
  const { item, transaction, decision } = scored;
  const earlier = before.size === 0 ? undefined : before.get(transaction.transactionId);
  const { scoredAtMs } = earlier ?? lineage;
  const published = isTold ? null : { transaction, decision: earlier ?? decision, scoredAtMs };
  if (item.head.replyTo === null) return decide(item, { kind: 'acknowledge', published });
  const reply = JSON.stringify(toScoreJson(earlier ?? recordOf(scored, lineage)));
  return decide(item, { kind: 'acknowledge', published, reply });
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
