/**
 * A batch, from decoded transactions to stored scores:
 *
 *   fold profiles ─▶ features ─▶ models and rules (pure) ─▶ store scores ─▶ acknowledge
 *
 * Every step may run again for the same transactions: folding finds what it took in, and an insert that lost means that the
 * score is stored. So a failure of a dependency is simply thrown, and the step comes again.
 */
import { SPANS } from '../../kit/traces/names.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { type FeatureRows, vectorOf } from '../domain/feature-rows.ts';
import type { Verdict } from '../domain/score-record.ts';
import type { DeliveredTransaction } from '../domain/transaction.ts';
import { BY_RULES, type JudgedRow, type ShadowBatch } from '../score/judge.ts';
import type { CompiledRuleSet } from '../score/rules/compile-rule-set.ts';
import { askInputs, inputsOf, recordInputs } from '../score/rules/rule-inputs.ts';
import { score } from '../score/score.ts';
import type { StoredTable } from '../score/scorecard/day-table.ts';
import { judgedVector } from '../score/scorecard/judge-by-table.ts';
import { type FinalTransaction, type Inserted, storeScores } from '../store/scores/scores.ts';
import { readStoredScores, type StoredScore } from '../store/scores/stored-scores.ts';
import type { EntryOrigin } from '../stream/entries/entry-head.ts';
import { namesOf } from './day-tables.ts';
import {
  acknowledge,
  acknowledgeStored,
  type Decided,
  decide,
  type EntryTransaction,
  failTransaction,
  type Scored,
  type Source,
  splitRepeated,
} from './decided.ts';
import { countScored } from './end-batch.ts';
import { foldProfiles } from './profiles/fold-profiles.ts';
import { type Compared, compareShadow, noteFailures } from './rollout-counts.ts';
import { beginStage, type Worker } from './worker.ts';

/** An entry of any other origin replaces one whose scores may be stored already. */
const FIRST_ORIGINS: readonly EntryOrigin[] = ['ingest', 'reconciled'];

/** Transactions whose scores a failed earlier try may have stored. */
const maybeStored = new WeakSet<EntryTransaction>();

/** Throws where the whole batch failed. */
export async function scoreBatch(
  worker: Worker,
  transactions: readonly EntryTransaction[],
): Promise<Decided[]> {
  const { failpoint } = worker;
  failpoint('worker-after-read');
  const foldedAtMs = worker.nowMs();
  const storing = await scoreAndStore(worker, transactions);
  const { isNew, acknowledged } = await endStoring(worker, storing).catch((error: unknown) => {
    for (const scored of storing.scored) maybeStored.add(scored);
    throw error;
  });
  failpoint('worker-after-commit');
  if (storing.shadows.length > 0) {
    await worker.judge.storeShadows(storing.shadows, storing.scoredAtMs);
  }
  worker.countFlips(storing.compared.filter(({ from }) => isNew(from)));
  storing.endTimer();
  worker.trace?.noteScores(storing.scored, storing.verdicts);
  countScored(worker, { ...storing, foldedAtMs }, isNew);
  return [...storing.rest, ...acknowledged];
}

/** A batch on its way to Postgres, without its decisions and vectors: nearly all of them would be promoted meanwhile. */
type Storing = {
  readonly inserted: Promise<Inserted>;
  readonly scoredAtMs: number;
  readonly scored: readonly EntryTransaction[];
  /** A verdict each. */
  readonly verdicts: readonly Verdict[];
  /** Further deliveries of the same transactions, which share their scores. */
  readonly sharing: readonly EntryTransaction[];
  /** Outcome where all scores are new. */
  readonly acknowledged: readonly Decided[];
  readonly rest: readonly Decided[];
  readonly shadows: readonly ShadowBatch[];
  readonly compared: readonly Compared[];
  readonly endTimer: () => void;
};

/**
 * Waits for the insert. Where some scores were stored before, the stored score is what counts; a transaction that a control holds
 * back leaves its stream, as its open row waits for the end of the control.
 */
async function endStoring(
  { market, metrics }: Worker,
  { inserted, scored, sharing, acknowledged }: Storing,
) {
  const won = await inserted;
  const isNew = ({ transaction }: EntryTransaction) =>
    won === 'all' || won.ids.has(transaction.transactionId);
  const isStopped = ({ transaction }: EntryTransaction) =>
    won !== 'all' && won.stopped.has(transaction.corridor);
  if (scored.every(isNew)) return { isNew, acknowledged };
  const all = [...scored, ...sharing];
  const stored = await readStoredScores(
    market.database,
    all.map(({ transaction }) => transaction),
  );
  const onHold: Decided[] = [];
  const scores = all.flatMap((from) => {
    const decision = stored.get(from.transaction.transactionId);
    if (decision !== undefined) return { from, decision };
    if (isStopped(from)) {
      onHold.push(decide(from, { kind: 'acknowledge', published: null }));
      metrics.onHold.inc({ corridor: from.transaction.corridor });
      return [];
    }
    throw new Failure('unavailable', 'SCORE_UNREADABLE', 'a stored score could not be read back');
  });
  const repeated = new Set(sharing);
  // The entry that stores a score owes its event, and a redelivery of that entry publishes it. Another entry that finds the
  // score stored publishes nothing.
  const isElsewhere = (from: EntryTransaction) =>
    isNew(from) ? repeated.has(from) : cannotHaveStored(from);
  return { isNew, acknowledged: [...acknowledgeStored(scores, isElsewhere), ...onHold] };
}

/** True for an entry in its first delivery and its first try: the score that it finds is another entry's. */
function cannotHaveStored(from: EntryTransaction): boolean {
  const { entry, head } = from;
  const isFirst = entry.deliveries === 1 && FIRST_ORIGINS.includes(head.origin);
  return isFirst && !maybeStored.has(from);
}

/** Makes all that decisions are needed for before anybody waits. */
async function scoreAndStore(
  worker: Worker,
  transactions: readonly EntryTransaction[],
): Promise<Storing> {
  const { firsts, repeated } = splitRepeated(transactions);
  const { scored, failed, shadows, compared, judgedBy } = await foldAndScore(worker, firsts);
  const endTimer = beginStage(worker, 'store');
  const scoredAtMs = worker.nowMs();
  const { sharing, unscored } = shareScores(repeated, scored);
  const final = [...scored, ...sharing].map(toFinal);
  const computed: Source<Scored> = {
    scoredAtMsOf: () => scoredAtMs,
    recordOf: (scored) => recordOf(scored, scoredAtMs),
    isElsewhere: () => false,
  };
  return {
    acknowledged: [
      ...acknowledge(scored, computed),
      ...acknowledge(sharing, { ...computed, isElsewhere: () => true }),
    ],
    rest: [
      ...failed,
      // The first delivery goes on for all of them.
      ...unscored.map((scored) => decide(scored, { kind: 'acknowledge', published: null })),
    ],
    scored: scored.map(({ from }) => from),
    verdicts: scored.map(({ decision }) => decision.verdict),
    sharing: sharing.map(({ from }) => from),
    inserted: storeScores(worker.scores, scored, scoredAtMs, final, judgedBy),
    scoredAtMs,
    shadows,
    compared,
    endTimer,
  };
}

function toFinal({ from: { head, transaction } }: Scored): FinalTransaction {
  return { rowId: head.rowId, id: transaction.transactionId, corridor: transaction.corridor };
}

function shareScores(repeated: readonly EntryTransaction[], scored: readonly Scored[]) {
  const sharing: Scored[] = [];
  const unscored: EntryTransaction[] = [];
  if (repeated.length === 0) return { sharing, unscored };
  const scores = new Map(scored.map((scored) => [scored.transaction.transactionId, scored]));
  for (const from of repeated) {
    const score = scores.get(from.transaction.transactionId);
    if (score === undefined) unscored.push(from);
    else sharing.push({ ...score, from });
  }
  return { sharing, unscored };
}

type ScoredRows = {
  readonly scored: Scored[];
  readonly failed: Decided[];
  readonly shadows: readonly ShadowBatch[];
  readonly compared: readonly Compared[];
  /** Policies and tables that must be in force while the scores are stored. */
  readonly judgedBy: readonly string[];
};

async function foldAndScore(
  worker: Worker,
  transactions: readonly EntryTransaction[],
): Promise<ScoredRows> {
  const endTimer = beginStage(worker, 'fold');
  const delivered = transactions.map(({ transaction }) => transaction);
  const tables = await worker.tablesOf(delivered.map(({ createdAtMs }) => createdAtMs));
  const rows = await foldProfiles(
    worker.profiles,
    delivered,
    tables.map((stored) => stored?.table ?? null),
  );
  endTimer();
  const decides = worker.trace?.begin(SPANS.decide);
  const scored = await scoreRows(worker, transactions, delivered, rows, tables);
  decides?.end();
  return scored;
}

/** The models over all rows at once, then one decision a transaction. A transaction that throws fails alone. */
async function scoreRows(
  worker: Worker,
  transactions: readonly EntryTransaction[],
  delivered: readonly DeliveredTransaction[],
  rows: FeatureRows,
  tables: readonly (StoredTable | null)[],
): Promise<ScoredRows> {
  const judgedRows = delivered.map((transaction, index): JudgedRow => {
    const judged = judgedVector(vectorOf(rows, index), tables[index], transaction.createdAtMs);
    return Object.assign(judged, { transaction });
  });
  const rules = await worker.ruleSets();
  const ruleSets = delivered.map((row, nth) => rules.decides(row, tables[nth] ?? null));
  const ruleShadows = delivered.map((row, nth) => rules.shadows(row, tables[nth] ?? null));
  const reading = [...ruleSets, ...ruleShadows.flat()];
  const answerOf = await askInputs(worker.inputSources, delivered, reading);
  const { judgements, shadows } = await worker.judge.judge(judgedRows);
  const level = worker.market.guards.health.level();
  const scored: Scored[] = [];
  const failed: Decided[] = [];
  const compared: Compared[] = [];
  for (const [index, from] of transactions.entries()) {
    const { opinion, model, degradation } = judgements[index] ?? BY_RULES;
    const { transaction, head } = from;
    const { vector, table, margin } = judgedRows[index] as JudgedRow;
    const ruleSet = ruleSets[index] as CompiledRuleSet;
    let end: ReturnType<typeof worker.rolloutCounts.begin>;
    try {
      worker.beforeScore?.(transaction);
      end = worker.rolloutCounts.begin(transaction.corridor, ruleSet);
      const ruleInputs = recordInputs(ruleSet, transaction, answerOf, index);
      const inputs = inputsOf(ruleSet, transaction, ruleInputs);
      const decision = score({ vector, ruleSet, opinion, inputs });
      const hasFailed = noteFailures(ruleSet, worker);
      end?.(hasFailed ? 1 : 0);
      for (const shadow of ruleShadows[index] ?? []) {
        const row = { from, vector, opinion, answerOf, nth: index };
        compared.push(compareShadow(shadow, row, decision));
      }
      // Fields are copied one by one: spreads cost more than the decision.
      scored.push({
        from,
        transaction,
        decision,
        features: vector,
        ruleInputs,
        ruleSet: ruleSet.id,
        model,
        attempts: head.attempt,
        degradation: Math.max(level, degradation, hasFailed ? 1 : 0),
        margin: margin(),
        scorecard: table?.serial ?? null,
      });
    } catch (error) {
      // Attempts of one transaction alone would take the rule set back.
      if (head.attempt === 1) end?.(1);
      failed.push(failTransaction(worker, from, toScoringFailure(error)));
    }
  }
  const ofPolicies = judgements.flatMap((by) => (by.under ? [by.under, by.model ?? ''] : []));
  const judgedBy = ofPolicies.length > 0 ? [...new Set(ofPolicies), ...namesOf(tables)] : [];
  return { scored, failed, shadows, compared, judgedBy };
}

function toScoringFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure && thrown.kind !== 'unavailable') return thrown;
  return new Failure('transient', 'SCORING_FAILED', toError(thrown).message, { cause: thrown });
}

function recordOf(scored: Scored, scoredAtMs: number): StoredScore {
  const { transaction, decision, ruleSet, model, attempts, degradation } = scored;
  const { transactionId, createdAtMs, accountId, corridor } = transaction;
  return {
    transactionId,
    createdAtMs,
    accountId,
    corridor,
    ...decision,
    model,
    attempts,
    degradation,
    scoredAtMs,
    ruleSet,
  };
}
