/**
 * Postgres as the statements of src/core/store keep it: transactions, scores, dead letters and open rows. For this
 * simulation only: every function is one committed statement.
 */
import type { DeadLetter } from '../../src/core/domain/dead-letter.ts';
import {
  LABEL_MATURITY_DAYS,
  type MerchantTally,
  merchantHourlyDays,
} from '../../src/core/domain/history.ts';
import { partyOfAddress } from '../../src/core/domain/personal.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { comparePositions, type Position } from '../../src/core/domain/transaction.ts';
import type { NewScore } from '../../src/core/store/scores/score-values.ts';
import type { FinalTransaction } from '../../src/core/store/scores/scores.ts';
import type { StoredScore } from '../../src/core/store/scores/stored-scores.ts';
import type { PlannedRow } from '../../src/core/stream/entries/producer.ts';
import { FIRST_ID } from '../../src/kit/words/cursor.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import { DAY_MS, dayOf, hourOf } from '../../src/kit/words/range.ts';
import { knownFrauds, type PartyLabel } from './known-frauds.ts';
import { createOpenRows } from './memory-rows.ts';
import { createMemorySnapshots, partyOf, type SnapshotGuards } from './memory-snapshots.ts';

/** Few enough that most checks take several pages. */
const LETTERS_PAGE_ROWS = 2;

/** A row of `scores`, with how often a write changed it: more than once is a breach. */
export type ScoreRow = StoredScore & { readonly features: Float64Array; readonly writes: number };
export type DeadLetterRow = DeadLetter & { isOpen: boolean };

/** Guards that a test takes out to see the simulation go red. */
export type PostgresGuards = SnapshotGuards & {
  readonly conflictClause: boolean;
  readonly takingOut: boolean;
};

/** Labels whose profiles are still to be invalidated. */
export type LabelBatchRow = {
  readonly batchId: string;
  readonly receivedAt: Date;
  readonly transactionIds: readonly string[];
};

/** A label, and whether its profiles were invalidated. */
export type LabelRow = PartyLabel & { readonly batchId: string; isTold: boolean };

export type MemoryPostgres = ReturnType<typeof createMemoryPostgres>;

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
  readonly nowMs: () => number;
  /** Called for an id that a statement has made final and left open. */
  readonly onLeftOpen: (transactionId: string) => void;
};

export function createMemoryPostgres(options: MemoryPostgresOptions) {
  const { rowsBefore, rowsAfter } = options;
  const transactions = new Map<string, Transaction>();
  const scores = new Map<string, ScoreRow>();
  const deadLetters: DeadLetterRow[] = [];
  /** In the order of their commits. */
  const labels: LabelRow[] = [];
  const labelBatches = new Map<string, LabelBatchRow>();
  const openRows = createOpenRows(options);
  const snapshots = createMemorySnapshots(options.guards, options.nowMs);
  const accepted = new Set<string>();
  const isUnscored = ({ transactionId }: Transaction) =>
    !scores.has(transactionId) &&
    !deadLetters.some((one) => one.transactionId === transactionId && one.isOpen);
  return {
    ...{ transactions, scores, deadLetters, labels, labelBatches, openRows, snapshots },
    acceptLabel(batch: LabelBatchRow, label: PartyLabel) {
      labelBatches.set(batch.batchId, batch);
      labels.push({ ...label, batchId: batch.batchId, isTold: false });
      snapshots.commitLabel(label);
    },
    findFraudParties: (ids: readonly string[]) =>
      labels
        .filter(({ label, transactionId: id }) => label === 'fraud' && ids.includes(id))
        .map((row) => ({ ...row, ipParty: partyOfAddress(row.ip) })),
    closeLabelBatch(batchId: string) {
      for (const row of labels) if (row.batchId === batchId) row.isTold = true;
      labelBatches.delete(batchId);
    },
    /** False when the batch is stored already. */
    accept(batchId: string, rows: readonly PlannedRow<Transaction>[]) {
      if (accepted.has(batchId)) return false;
      accepted.add(batchId);
      openRows.open(rows);
      const stored = rows.flatMap((one) => one.transactions);
      for (const row of stored) transactions.set(row.transactionId, row);
      snapshots.commitRows(stored);
      return true;
    },
    loadUnscored: (ids: readonly string[]) =>
      ids.flatMap((id) => transactions.get(id) ?? []).filter((row) => isUnscored(row)),
    findFinal: (ids: readonly string[]) =>
      new Set(
        ids
          .flatMap((id) => transactions.get(id) ?? [])
          .filter((row) => !isUnscored(row))
          .map((row) => row.transactionId),
      ),
    closeUnreadLetters() {
      for (const row of deadLetters) if (row.transactionId === null) row.isOpen = false;
    },
    insertScores(
      rows: readonly NewScore[],
      scoredAtMs: number,
      final: readonly FinalTransaction[],
    ) {
      const won = insertScores(options, scores, rows, scoredAtMs);
      openRows.takeOut(final);
      return won;
    },
    readStoredScores: (ids: readonly string[]) =>
      new Map(
        ids.flatMap((id) => {
          const row = scores.get(id);
          return row === undefined ? [] : [[id, withoutFeatures(row)] as const];
        }),
      ),
    insertDeadLetters(letters: readonly DeadLetter[]) {
      const inserted = insertDeadLetters(scores, deadLetters, letters);
      openRows.takeOut(
        letters.flatMap(({ rowId, transactionId: id }) => (id ? { rowId, id } : [])),
      );
      return inserted;
    },
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
    closeDeadLettersOfScored(ids: readonly string[]) {
      for (const row of deadLetters) if (ids.includes(row.transactionId ?? '')) row.isOpen = false;
    },
    accountPast: (point: Transaction) => {
      const since = point.createdAtMs - 360 * DAY_MS;
      const own = [...transactions.values()].filter((t) => t.accountId === point.accountId);
      const floor = { createdAtMs: since, transactionId: FIRST_ID };
      return {
        ...around(own, point, since, rowsAfter),
        floor,
        frauds: knownFrauds(labels, point, 'account'),
      };
    },
    merchantPast: (point: Transaction) => {
      const knownFromMs = (Math.floor(point.createdAtMs / DAY_MS) - 107) * DAY_MS;
      const own = [...transactions.values()].filter((t) => t.merchantId === point.merchantId);
      const { rows, ceiling } = around(own, point, knownFromMs, rowsAfter);
      const tallied = talliedBefore(rows, point, rowsBefore);
      return {
        rows: rows.slice(tallied.length),
        tallies: tally(tallied),
        horizon: tallied.at(-1) ?? null,
        ...{ ceiling, knownFromMs },
        frauds: knownFrauds(labels, point, 'merchant'),
      };
    },
    sharedPast: (kind: 'device' | 'address') => (point: Transaction) => {
      const since = point.createdAtMs - 360 * DAY_MS;
      const own = [...transactions.values()].filter(
        (t) => partyOf(kind, t) === partyOf(kind, point),
      );
      return {
        ...around(own, point, since, rowsAfter),
        floor: { createdAtMs: since, transactionId: FIRST_ID },
        frauds: knownFrauds(labels, point, kind),
        oldest: { sinceMs: since, times: [], toMs: Infinity },
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

/** Rows in front of the listed rows, of older hours than the point's, so that the point's own hour is listed. */
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
  scoredAtMs: number,
): Set<string> {
  if (rows.some(({ transaction }) => isUnstorable(transaction.transactionId))) {
    throw new Failure('permanent', 'POSTGRES_22021', 'a value that cannot be stored');
  }
  const won = new Set<string>();
  for (const row of rows) {
    const { transactionId, createdAtMs, accountId, corridor } = row.transaction;
    const { decision, attempts, ruleSet, model, degradation } = row;
    const known = scores.get(transactionId);
    if (known !== undefined && guards.conflictClause) continue;
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
