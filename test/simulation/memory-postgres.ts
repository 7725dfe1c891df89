/**
 * Postgres as the statements of src/store keep it: transactions, scores, dead letters, open batches and the
 * reconciler's row. For this simulation only: every function is one committed statement.
 */
import type { DeadLetter } from '../../src/core/domain/dead-letter.ts';
import {
  type AccountPast,
  comparePositions,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
  type MerchantTally,
  merchantHourlyDays,
  type Position,
} from '../../src/core/domain/history.ts';
import type { Label } from '../../src/core/domain/label.ts';
import type { OpenBatch } from '../../src/core/domain/open-batch.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { ScoredLettersPage } from '../../src/core/store/dead-letters/dead-letters.ts';
import type { Parties } from '../../src/core/store/labels/labelled-transactions.ts';
import type { NewScore, ScoreLineage } from '../../src/core/store/scores/scores.ts';
import type { StoredScore } from '../../src/core/store/scores/stored-scores.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import { DAY_MS, dayOf, hourOf } from '../../src/kit/words/utc-bucket.ts';

import { knownFrauds } from './known-frauds.ts';

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
/** Few enough that most checks take several pages. */
const LETTERS_PAGE_ROWS = 2;

/** A row of `scores`, with how often a write changed it: more than once is a breach. */
export type ScoreRow = StoredScore & { readonly features: Float64Array; readonly writes: number };
export type DeadLetterRow = DeadLetter & { isOpen: boolean };

/** Which Redis the reconciler saw last, and whether it still brings back what that one lost. */
export type ReconcileState = {
  readonly redisIdentity: number;
  readonly recovering: boolean;
};

/** Guards that a test takes out to see the simulation go red. */
export type PostgresGuards = { readonly conflictClause: boolean };

/** A label, and whether its profiles were invalidated. */
export type LabelRow = Label & { readonly batchId: string; isTold: boolean };

export type MemoryPostgres = {
  readonly transactions: ReadonlyMap<string, Transaction>;
  readonly scores: ReadonlyMap<string, ScoreRow>;
  readonly deadLetters: readonly DeadLetterRow[];
  /** In the order of their commits. */
  readonly labels: readonly LabelRow[];
  readonly labelBatches: ReadonlyMap<string, OpenBatch>;
  readonly acceptLabel: (batch: OpenBatch, label: Label) => void;
  readonly findFraudParties: (transactionIds: readonly string[]) => Parties[];
  readonly closeLabelBatch: (batchId: string) => void;
  readonly openBatchCount: () => number;
  readonly state: () => ReconcileState;
  /** False when the batch is stored already. */
  readonly accept: (batch: OpenBatch, transactions: readonly Transaction[]) => boolean;
  readonly deleteBatches: (ids: readonly string[]) => void;
  readonly listOpenBatches: (untilMs: number) => OpenBatch[];
  readonly loadUnscored: (ids: readonly string[]) => Transaction[];
  /** Transactions received until then. */
  readonly listUnscored: (untilMs: number) => Transaction[];
  /** When the newest transaction was received. */
  readonly receivedUntilMs: () => number;
  readonly writeState: (state: ReconcileState) => void;
  readonly insertScores: (scores: readonly NewScore[], lineage: ScoreLineage) => Set<string>;
  readonly readStoredScores: (ids: readonly string[]) => Map<string, StoredScore>;
  readonly insertDeadLetters: (letters: readonly DeadLetter[]) => Set<string>;
  readonly listDeadLettersOfScored: (after: string | undefined) => ScoredLettersPage;
  readonly closeDeadLettersOfScored: (ids: readonly string[]) => void;
  readonly accountPast: (point: Transaction) => AccountPast;
  readonly merchantPast: (point: Transaction) => MerchantPast;
};

export type MemoryPostgresOptions = {
  /** Rows in front of a point that a merchant's rebuild lists: those before are tallied. */
  readonly rowsBefore: number;
  /** Rows from a point on that a rebuild reads. */
  readonly rowsAfter: number;
  /** A transaction whose row a constraint refuses. */
  readonly isUnstorable: (transactionId: string) => boolean;
  /** Called for each score that is stored for the first time. */
  readonly onScored: (score: NewScore) => void;
  readonly guards: PostgresGuards;
};

export function createMemoryPostgres(options: MemoryPostgresOptions): MemoryPostgres {
  const { rowsBefore, rowsAfter } = options;
  const transactions = new Map<string, Transaction>();
  const scores = new Map<string, ScoreRow>();
  const deadLetters: DeadLetterRow[] = [];
  const labels: LabelRow[] = [];
  const labelBatches = new Map<string, OpenBatch>();
  const batches = new Map<string, OpenBatch>();
  const accepted = new Set<string>();
  let state: ReconcileState = { redisIdentity: 0, recovering: false };
  const isUnscored = ({ transactionId }: Transaction) =>
    !scores.has(transactionId) &&
    !deadLetters.some((one) => one.transactionId === transactionId && one.isOpen);
  return {
    ...{ transactions, scores, deadLetters, labels, labelBatches },
    acceptLabel(batch, label) {
      labelBatches.set(batch.batchId, batch);
      labels.push({ ...label, batchId: batch.batchId, isTold: false });
    },
    findFraudParties: (ids) =>
      labels.filter(({ label, transactionId: id }) => label === 'fraud' && ids.includes(id)),
    closeLabelBatch(batchId) {
      for (const row of labels) if (row.batchId === batchId) row.isTold = true;
      labelBatches.delete(batchId);
    },
    openBatchCount: () => batches.size,
    state: () => state,
    accept(batch, rows) {
      if (accepted.has(batch.batchId)) return false;
      accepted.add(batch.batchId);
      batches.set(batch.batchId, batch);
      for (const row of rows) transactions.set(row.transactionId, row);
      return true;
    },
    deleteBatches(ids) {
      for (const id of ids) batches.delete(id);
    },
    listOpenBatches: (untilMs) =>
      [...batches.values()].filter(({ receivedAt }) => receivedAt.getTime() < untilMs),
    loadUnscored: (ids) =>
      ids.flatMap((id) => transactions.get(id) ?? []).filter((row) => isUnscored(row)),
    listUnscored: (untilMs) =>
      [...transactions.values()].filter((row) => row.receivedAtMs < untilMs && isUnscored(row)),
    receivedUntilMs: () => Math.max(...[...transactions.values()].map((row) => row.receivedAtMs)),
    writeState(next) {
      state = next;
    },
    insertScores: (rows, lineage) => insertScores(options, scores, rows, lineage),
    readStoredScores: (ids) =>
      new Map(
        ids.flatMap((id) => {
          const row = scores.get(id);
          return row === undefined ? [] : [[id, withoutFeatures(row)] as const];
        }),
      ),
    insertDeadLetters: (letters) => insertDeadLetters(scores, deadLetters, letters),
    listDeadLettersOfScored: (after = FIRST_ID) => {
      const open = deadLetters.filter(({ isOpen }) => isOpen).map((row) => row.transactionId ?? '');
      const page = open
        .filter((id) => id > after)
        .sort()
        .slice(0, LETTERS_PAGE_ROWS);
      return {
        transactionIds: page.filter((id) => scores.has(id)),
        next: page[LETTERS_PAGE_ROWS - 1] ?? null,
      };
    },
    closeDeadLettersOfScored(ids) {
      for (const row of deadLetters) if (ids.includes(row.transactionId ?? '')) row.isOpen = false;
    },
    accountPast: (point) => {
      const since = point.createdAtMs - 360 * DAY_MS;
      const own = [...transactions.values()].filter((t) => t.accountId === point.accountId);
      const floor = { createdAtMs: since, transactionId: FIRST_ID };
      return {
        ...around(own, point, since, rowsAfter),
        floor,
        frauds: knownFrauds(labels, point, 'accountId'),
      };
    },
    merchantPast: (point) => {
      const knownFromMs = (Math.floor(point.createdAtMs / DAY_MS) - 107) * DAY_MS;
      const own = [...transactions.values()].filter((t) => t.merchantId === point.merchantId);
      const { rows, ceiling } = around(own, point, knownFromMs, rowsAfter);
      const tallied = talliedBefore(rows, point, rowsBefore);
      return {
        rows: rows.slice(tallied.length),
        tallies: tally(tallied),
        horizon: tallied.at(-1) ?? null,
        ...{ ceiling, knownFromMs },
        frauds: knownFrauds(labels, point, 'merchantId'),
      };
    },
  };
}

/** Simulated accounts have too few rows for the bound before the point to matter. */
function around(own: readonly Transaction[], point: Position, sinceMs: number, rowsAfter: number) {
  const rows = own.filter((t) => t.createdAtMs >= sinceMs).sort(comparePositions);
  const isOlder = (t: Transaction) =>
    t.transactionId !== point.transactionId && comparePositions(t, point) < 0;
  const older = rows.filter(isOlder);
  const newer = rows.filter((row) => !isOlder(row));
  const kept = newer.slice(0, rowsAfter);
  const ceiling = kept.length < newer.length ? (kept.at(-1) ?? null) : null;
  return { rows: [...older, ...kept], ceiling };
}

/** Those in front of the listed ones, of older hours than the point's, so that its own hour is listed. */
function talliedBefore(rows: readonly Transaction[], point: Transaction, rowsBefore: number) {
  const older = rows.filter((row) => comparePositions(row, point) < 0);
  return older
    .slice(0, Math.max(0, older.length - rowsBefore))
    .filter(({ createdAtMs }) => createdAtMs < hourOf(point.createdAtMs));
}

/** As loadTallies does. */
function tally(rows: readonly Transaction[]): MerchantTally[] {
  const hourlySinceMs =
    dayOf(rows.at(-1)?.createdAtMs ?? 0) - merchantHourlyDays(LABEL_MATURITY_DAYS) * DAY_MS;
  return rows.map(({ createdAtMs, currency, amount }) => {
    const daily = createdAtMs < hourlySinceMs;
    const bucketMs = daily ? dayOf(createdAtMs) : hourOf(createdAtMs);
    return { bucketMs, daily, currency, count: 1, sum: amount };
  });
}

function insertScores(
  { isUnstorable, onScored, guards }: MemoryPostgresOptions,
  scores: Map<string, ScoreRow>,
  rows: readonly NewScore[],
  lineage: ScoreLineage,
): Set<string> {
  if (rows.some(({ transaction }) => isUnstorable(transaction.transactionId))) {
    throw new Failure('permanent', 'POSTGRES_22021', 'a value that cannot be stored');
  }
  const won = new Set<string>();
  for (const row of rows) {
    const { transactionId, createdAtMs, accountId, corridor } = row.transaction;
    const { decision, attempts, model, degradation } = row;
    const known = scores.get(transactionId);
    if (known !== undefined && guards.conflictClause) continue;
    const { scoredAtMs, ruleSet } = lineage;
    const stored = { transactionId, createdAtMs, scoredAtMs, accountId, corridor, ...decision };
    scores.set(transactionId, {
      ...{ ...stored, ruleSet, model, attempts, degradation },
      ...{ features: row.features.slice(), writes: (known?.writes ?? 0) + 1 },
    });
    won.add(transactionId);
    onScored(row);
  }
  return won;
}

function withoutFeatures({ features: _, writes: __, ...row }: ScoreRow): StoredScore {
  return row;
}

function insertDeadLetters(
  scores: ReadonlyMap<string, ScoreRow>,
  rows: DeadLetterRow[],
  letters: readonly DeadLetter[],
): Set<string> {
  const inserted = new Set<string>();
  for (const letter of letters) {
    const { transactionId, stream, entryId } = letter;
    const isKnown = rows.some((row) =>
      transactionId === null
        ? row.transactionId === null && row.stream === stream && row.entryId === entryId
        : row.transactionId === transactionId && row.isOpen,
    );
    if (isKnown || scores.has(transactionId ?? '')) continue;
    rows.push({ ...letter, isOpen: true });
    inserted.add(transactionId ?? entryId);
  }
  return inserted;
}
