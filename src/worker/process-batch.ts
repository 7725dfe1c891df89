/**
 * One batch, from delivered entries to settled ones:
 *
 *   decode ─▶ fold profiles ─▶ score (pure) ─▶ insert scores ─▶ dead letter rows ─▶ settle in Redis
 *
 * Every step may run again for the same entries: folding finds what it took in, an insert that lost means
 * that the score is stored, and settling needs nothing but the ids. So a failure of a dependency is simply
 * thrown, and the whole batch comes again.
 */
import { DEAD_LETTER_ENTRY_CHARS_MAX, type DeadLetter } from '../domain/dead-letter.ts';
import { Failure, toError } from '../domain/failure.ts';
import { toScoreJson } from '../domain/score-record.ts';
import type { Failpoint } from '../runtime/failpoint.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { InsertScores, NewScore, ScoreLineage, StoredScore } from '../store/scores.ts';
import type { Settle } from '../stream/settle.ts';
import { countOutcomes, countScored } from './count-batch.ts';
import type { FoldProfiles, Histories } from './fold-profiles.ts';
import { type Decided, decide, type HeldEntry, type Item } from './item.ts';
import { type DecodeEntry, readEntries, splitRepeated } from './read-entries.ts';
import { decideRetry, type RetryPolicy } from './retry-policy.ts';
import type { Scorer } from './scorer.ts';
import { type EncodeEntry, toSettlements } from './settle-batch.ts';

type Identified = { readonly transactionId: string; readonly createdAtMs: number };

/** What a worker needs of Postgres. */
export type BatchStore = {
  readonly insertScores: InsertScores;
  readonly readStoredScores: (
    transactions: readonly Identified[],
  ) => Promise<Map<string, StoredScore>>;
  readonly insertDeadLetters: (letters: readonly DeadLetter[]) => Promise<Set<string>>;
  readonly closeDeadLettersOfScored: (transactionIds: readonly string[]) => Promise<void>;
};

export type BatchDependencies = {
  readonly decode: DecodeEntry;
  readonly encode: EncodeEntry;
  readonly foldProfiles: FoldProfiles;
  readonly scorer: Scorer;
  readonly store: BatchStore;
  readonly settle: Settle;
  readonly retryPolicy: RetryPolicy;
  readonly random: () => number;
  readonly nowMs: () => number;
  readonly metrics: Metrics;
  readonly failpoint: Failpoint;
  /** Level at which the process runs, stored with each score; 0 where nobody measures it. */
  readonly degradation?: () => number;
};

export type BatchSteps = {
  /** `onFolded` is called once the batch's place in the order of its streams is taken. */
  readonly process: (held: readonly HeldEntry[], onFolded: () => void) => Promise<void>;
  /** Ends an attempt of an entry that cannot be processed even alone. */
  readonly fail: (held: HeldEntry, failure: Failure) => Promise<void>;
  /** Gives entries back without costing an attempt or a delivery. */
  readonly release: (held: readonly HeldEntry[]) => Promise<void>;
};

export function createBatchSteps(dependencies: BatchDependencies): BatchSteps {
  return {
    process: (held, onFolded) => processBatch(dependencies, held, onFolded),
    async fail(held, failure) {
      const { items, decided } = readEntries(dependencies.decode, [held]);
      const failed = items.map((item) => failItem(dependencies, item, failure));
      await conclude(dependencies, [...decided, ...failed], dependencies.nowMs());
    },
    async release(held) {
      // What cannot be read stays pending: giving it up needs Postgres, which may be what is missing.
      const { items } = readEntries(dependencies.decode, held);
      const released = items.map((item) => decide(item, { kind: 'release' }));
      await conclude(dependencies, released, dependencies.nowMs());
    },
  };
}

async function processBatch(
  dependencies: BatchDependencies,
  held: readonly HeldEntry[],
  onFolded: () => void,
): Promise<void> {
  const { metrics, failpoint, nowMs } = dependencies;
  metrics.batchEntries.observe(held.length);
  const { items, decided } = readEntries(dependencies.decode, held);
  const { firsts, others } = splitRepeated(items);
  failpoint('worker-after-read');

  const endFold = metrics.batchDuration.startTimer({ stage: 'fold' });
  const transactions = firsts.map((item) => item.payload.transaction);
  const histories =
    firsts.length === 0
      ? { accounts: [], merchants: [] }
      : await dependencies.foldProfiles(transactions);
  onFolded();
  endFold();

  const { scores, failed } = scoreItems(dependencies, firsts, histories);
  decided.push(...failed);
  const endStore = metrics.batchDuration.startTimer({ stage: 'store' });
  const scoredAtMs = nowMs();
  const stored = await storeScores(dependencies, scores, scoredAtMs);
  failpoint('worker-after-commit');
  endStore();
  countScored(metrics, firsts, stored.fresh, scoredAtMs);
  for (const item of [...firsts, ...others]) {
    const record = stored.records.get(item.payload.transaction.transactionId);
    if (record !== undefined) decided.push(acknowledge(item, record));
  }
  // A repeated entry whose first occurrence failed shares its fate: it is settled when that one is final.
  await conclude(dependencies, [...decided, ...orphans(others, stored.records)], scoredAtMs);
}

/** The pure core, item by item; one that throws fails alone. */
function scoreItems(
  dependencies: BatchDependencies,
  items: readonly Item[],
  { accounts, merchants }: Histories,
): { scores: NewScore[]; failed: Decided[] } {
  const { scorer } = dependencies;
  const { featureCount } = scorer;
  const scores: NewScore[] = [];
  const failed: Decided[] = [];
  // One allocation for all vectors: each on its own would be memory outside the heap to keep track of.
  const vectors = new Float64Array(items.length * featureCount);
  items.forEach((item, index) => {
    const { transaction, attempt } = item.payload;
    const [account, merchant] = [accounts[index], merchants[index]];
    const vector = vectors.subarray(index * featureCount, (index + 1) * featureCount);
    try {
      if (account === undefined || merchant === undefined) throw new Error('a history is missing');
      const decision = scorer.score(transaction, account, merchant, vector);
      scores.push({
        transactionId: transaction.transactionId,
        createdAtMs: transaction.createdAtMs,
        accountId: transaction.accountId,
        corridor: transaction.corridor,
        decision,
        features: vector,
        attempts: attempt,
      });
    } catch (error) {
      failed.push(failItem(dependencies, item, toScoringFailure(error)));
    }
  });
  return { scores, failed };
}

/** Repeated entries of a transaction without a score: the first occurrence goes on for all of them. */
function orphans(others: readonly Item[], records: ReadonlyMap<string, StoredScore>): Decided[] {
  return others
    .filter((item) => !records.has(item.payload.transaction.transactionId))
    .map((item) => decide(item, { kind: 'acknowledge', event: null }));
}

function toScoringFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure && thrown.kind !== 'unavailable') return thrown;
  return new Failure('transient', 'SCORING_FAILED', toError(thrown).message, { cause: thrown });
}

function failItem(
  { retryPolicy, random }: BatchDependencies,
  item: Item,
  failure: Failure,
): Decided {
  const decision = decideRetry(retryPolicy, item.payload.attempt, failure, random());
  if (decision.kind === 'dead-letter') return decide(item, { kind: 'dead-letter', failure });
  return decide(item, { kind: 'retry', afterMs: decision.afterMs, failure });
}

/** Inserts, and reads what was stored before. Afterwards every given transaction has a record. */
async function storeScores(
  { store, scorer, degradation }: BatchDependencies,
  scores: readonly NewScore[],
  scoredAtMs: number,
): Promise<{ fresh: Map<string, StoredScore>; records: Map<string, StoredScore> }> {
  const { featureSchema, ruleSet, model } = scorer;
  const level = degradation?.() ?? 0;
  const lineage = { scoredAtMs, featureSchema, ruleSet, model, degradation: level };
  const won = await store.insertScores(scores, lineage);
  const lost = scores.filter((score) => !won.has(score.transactionId));
  const records =
    lost.length > 0 ? await store.readStoredScores(lost) : new Map<string, StoredScore>();
  const fresh = new Map<string, StoredScore>();
  for (const score of scores) {
    if (won.has(score.transactionId)) {
      fresh.set(score.transactionId, toStored(score, lineage));
    } else if (!records.has(score.transactionId)) {
      throw new Failure('unavailable', 'SCORE_UNREADABLE', 'a stored score could not be read back');
    }
  }
  for (const [id, record] of fresh) records.set(id, record);
  return { fresh, records };
}

/** Field by field: a spread of three objects an entry costs as much as scoring it. */
function toStored(score: NewScore, lineage: ScoreLineage): StoredScore {
  const { decision } = score;
  return {
    transactionId: score.transactionId,
    createdAtMs: score.createdAtMs,
    scoredAtMs: lineage.scoredAtMs,
    accountId: score.accountId,
    corridor: score.corridor,
    score: decision.score,
    risk: decision.risk,
    probability: decision.probability,
    verdict: decision.verdict,
    reasons: decision.reasons,
    ruleSet: lineage.ruleSet,
    model: lineage.model,
    attempts: score.attempts,
    degradation: lineage.degradation,
  };
}

function acknowledge(item: Item, record: StoredScore): Decided {
  if (item.payload.replyTo === null) return decide(item, { kind: 'acknowledge', event: record });
  const reply = JSON.stringify(toScoreJson(record));
  return decide(item, { kind: 'acknowledge', event: record, reply });
}

/** Commits the dead letters, then settles everything. */
async function conclude(
  dependencies: BatchDependencies,
  decided: readonly Decided[],
  atMs: number,
): Promise<void> {
  const { store, settle, encode, metrics } = dependencies;
  const final = await commitDeadLetters(dependencies, decided, atMs);
  await store.closeDeadLettersOfScored(scoredAgain(final));
  const endSettle = metrics.batchDuration.startTimer({ stage: 'settle' });
  const settlements = toSettlements(final, encode, atMs);
  const gone = await settle(settlements);
  endSettle();
  countOutcomes(metrics, final);
  // Entries that another consumer has settled meanwhile: it may have given up what is scored now.
  const late = settlements.flatMap(({ acknowledged }, index) =>
    acknowledged.flatMap(({ entryId, event }) =>
      event !== null && gone[index]?.has(entryId) ? [event.transactionId] : [],
    ),
  );
  await store.closeDeadLettersOfScored(late);
}

/**
 * Scored transactions that may have a dead letter all the same: an earlier delivery, or another entry, was
 * given up, and its worker died before it could settle that. Nearly always none.
 */
function scoredAgain(decided: readonly Decided[]): string[] {
  return decided.flatMap(({ entry, payload, outcome }) => {
    if (outcome.kind !== 'acknowledge' || outcome.event === null || payload === null) return [];
    const isFirst = entry.deliveries === 1 && payload.attempt === 1 && payload.origin === 'ingest';
    return isFirst ? [] : [outcome.event.transactionId];
  });
}

/** A dead letter whose transaction turns out to have a score is acknowledged in its place. */
async function commitDeadLetters(
  { store, failpoint }: BatchDependencies,
  decided: readonly Decided[],
  atMs: number,
): Promise<readonly Decided[]> {
  const dead = decided.filter(({ outcome }) => outcome.kind === 'dead-letter');
  if (dead.length === 0) return decided;
  const inserted = await store.insertDeadLetters(dead.map((one) => toDeadLetter(one, atMs)));
  failpoint('worker-after-dead-letters');
  const refused = dead.flatMap(({ entry, payload }) =>
    inserted.has(entry.id) || payload === null ? [] : [payload.transaction],
  );
  const scored = await store.readStoredScores(refused);
  return decided.map((one): Decided => {
    const record = scored.get(one.payload?.transaction.transactionId ?? '');
    if (one.outcome.kind !== 'dead-letter' || record === undefined) return one;
    return decide(one, { kind: 'acknowledge', event: record });
  });
}

function toDeadLetter({ stream, entry, payload, outcome }: Decided, atMs: number): DeadLetter {
  if (outcome.kind !== 'dead-letter') throw new Error(`${outcome.kind} is no dead letter`);
  const transaction = payload?.transaction;
  return {
    transactionId: transaction?.transactionId ?? null,
    createdAtMs: transaction?.createdAtMs ?? null,
    accountId: transaction?.accountId ?? null,
    corridor: stream.corridor,
    stream: stream.transactions,
    entryId: entry.id,
    attempts: payload?.attempt ?? 1,
    errorCode: outcome.failure.code,
    error: outcome.failure.message,
    entry: (entry.packed ?? '').slice(0, DEAD_LETTER_ENTRY_CHARS_MAX),
    failedAtMs: atMs,
  };
}
