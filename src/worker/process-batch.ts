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
import { Failure } from '../domain/failure.ts';
import { toScoreJson } from '../domain/score-record.ts';
import type { Failpoint } from '../runtime/failpoint.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createFeatureRows } from '../scoring/feature-rows.ts';
import type { InsertScores, ScoreLineage, StoredScore } from '../store/scores.ts';
import type { Settle } from '../stream/settle.ts';
import { countOutcomes, countScored } from './count-batch.ts';
import { type Decided, decide, type HeldEntry, type Item, type Scored } from './item.ts';
import type { FoldProfiles } from './profiles/fold-profiles.ts';
import { type DecodeEntry, readEntries, splitRepeated } from './read-entries.ts';
import { decideRetry, type RetryPolicy } from './retry-policy.ts';
import { type BatchModels, scoreItems } from './score-items.ts';
import type { Scorer } from './scorer.ts';
import { type EncodeEntry, type Left, readSettled, toSettlements } from './settle-batch.ts';

type Identified = { readonly transactionId: string; readonly createdAtMs: number };

/** What became of the scores: those that were stored before, by id, and what all others have in common. */
type Stored = {
  readonly lineage: ScoreLineage;
  readonly before: ReadonlyMap<string, StoredScore>;
};

const NONE: ReadonlyMap<string, StoredScore> = new Map();

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
  /** Without them the rules decide alone. */
  readonly models?: BatchModels;
};

export type BatchSteps = {
  /** `onFolded` is called once the batch's place in the order of its streams is taken. */
  readonly process: (held: readonly HeldEntry[], onFolded: () => void) => Promise<Left>;
  /** Ends an attempt of an entry that cannot be processed even alone. */
  readonly fail: (held: HeldEntry, failure: Failure) => Promise<Left>;
  /** Gives entries back without costing an attempt or a delivery. */
  readonly release: (held: readonly HeldEntry[]) => Promise<Left>;
};

export function createBatchSteps(dependencies: BatchDependencies): BatchSteps {
  return {
    process: (held, onFolded) => processBatch(dependencies, held, onFolded),
    async fail(held, failure) {
      const { items, decided } = readEntries(dependencies.decode, [held]);
      const failed = items.map((item) => failItem(dependencies, item, failure));
      return await conclude(dependencies, [...decided, ...failed], dependencies.nowMs());
    },
    async release(held) {
      // What cannot be read stays pending: giving it up needs Postgres, which may be what is missing.
      const { items } = readEntries(dependencies.decode, held);
      const released = items.map((item) => decide(item, { kind: 'release' }));
      return await conclude(dependencies, released, dependencies.nowMs());
    },
  };
}

async function processBatch(
  dependencies: BatchDependencies,
  held: readonly HeldEntry[],
  onFolded: () => void,
): Promise<Left> {
  const { metrics, failpoint, nowMs } = dependencies;
  metrics.batchEntries.observe(held.length);
  const { items, decided } = readEntries(dependencies.decode, held);
  const { firsts, others } = splitRepeated(items);
  failpoint('worker-after-read');

  const { scored, failed, shadows } = await foldAndScore(dependencies, firsts, onFolded);
  for (const { item, failure } of failed) decided.push(failItem(dependencies, item, failure));
  const endStore = metrics.batchDuration.startTimer({ stage: 'store' });
  const scoredAtMs = nowMs();
  const stored = await storeScores(dependencies, scored, scoredAtMs);
  failpoint('worker-after-commit');
  if (shadows.length > 0) await dependencies.models?.storeShadows(shadows, scoredAtMs);
  endStore();
  countScored(metrics, scored, stored.before, scoredAtMs);
  for (const one of scored) decided.push(acknowledge(one, stored));
  decided.push(...settleRepeated(others, scored, stored));
  return await conclude(dependencies, decided, scoredAtMs);
}

/** Further entries of a transaction share its score; where there is none, the first goes on for all of them. */
function settleRepeated(
  others: readonly Item[],
  scored: readonly Scored[],
  stored: Stored,
): Decided[] {
  if (others.length === 0) return [];
  const scores = new Map(scored.map(({ score }) => [score.transactionId, score]));
  return others.map((item) => {
    const score = scores.get(item.payload.transaction.transactionId);
    if (score === undefined) return decide(item, { kind: 'acknowledge', event: null });
    return acknowledge({ item, score }, stored);
  });
}

async function foldAndScore(
  dependencies: BatchDependencies,
  items: readonly Item[],
  onFolded: () => void,
): ReturnType<typeof scoreItems> {
  const endFold = dependencies.metrics.batchDuration.startTimer({ stage: 'fold' });
  const transactions = items.map((item) => item.payload.transaction);
  const rows =
    items.length === 0 ? createFeatureRows(0) : await dependencies.foldProfiles(transactions);
  onFolded();
  endFold();
  const { scorer, models, degradation } = dependencies;
  return await scoreItems({ scorer, models, level: degradation?.() ?? 0 }, items, rows);
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

/** Inserts, and reads what was stored before: then the stored score is what counts. */
async function storeScores(
  { store, scorer }: BatchDependencies,
  scored: readonly Scored[],
  scoredAtMs: number,
): Promise<Stored> {
  const { featureSchema, ruleSet } = scorer;
  const lineage = { scoredAtMs, featureSchema, ruleSet };
  const scores = scored.map(({ score }) => score);
  const won = await store.insertScores(scores, lineage);
  if (won.size === scores.length) return { lineage, before: NONE };
  const lost = scores.filter((score) => !won.has(score.transactionId));
  const before = await store.readStoredScores(lost);
  if (before.size < lost.length) {
    throw new Failure('unavailable', 'SCORE_UNREADABLE', 'a stored score could not be read back');
  }
  return { lineage, before };
}

/** The score that counts, as an event, and as the reply of a request that waits for it. */
function acknowledge({ item, score }: Scored, { lineage, before }: Stored): Decided {
  const earlier = before.get(score.transactionId);
  const { transactionId, accountId, decision } = score;
  const { score: points, verdict } = decision;
  const event = earlier ?? { transactionId, accountId, score: points, verdict };
  if (item.payload.replyTo === null) return decide(item, { kind: 'acknowledge', event });
  const record = earlier ?? { ...score, ...decision, ...lineage };
  const reply = JSON.stringify(toScoreJson(record));
  return decide(item, { kind: 'acknowledge', event, reply });
}

/** Commits the dead letters, then settles everything. */
async function conclude(
  dependencies: BatchDependencies,
  decided: readonly Decided[],
  atMs: number,
): Promise<Left> {
  const { store, settle, encode, metrics } = dependencies;
  const final = await commitDeadLetters(dependencies, decided, atMs);
  await store.closeDeadLettersOfScored(scoredAgain(final));
  const endSettle = metrics.batchDuration.startTimer({ stage: 'settle' });
  const settlements = toSettlements(final, encode, atMs);
  const settled = await settle(settlements);
  endSettle();
  const { left, late } = readSettled(settlements, settled);
  const ended =
    left.size === 0 ? final : final.filter(({ stream }) => !left.has(stream.transactions));
  countOutcomes(metrics, ended);
  await store.closeDeadLettersOfScored(late);
  return left;
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
