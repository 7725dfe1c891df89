/**
 * Goal: totals and daily tallies equal a recount at any moment, whatever is stored again or at once, however late, and
 * wherever a step of merging is cut off. Method: random rounds against a real Postgres; what belongs to a round runs at
 * once: posts with known keys among new ones, deliveries that score what is scored, with other reasons, labels of two
 * sources that come in any order of their times, dead letters that are replayed, purged and closed, and merging that is cut
 * off at any of its statements.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LABEL_VALUES } from '../../src/core/domain/label.ts';
import { VERDICTS } from '../../src/core/domain/score-record.ts';
import {
  closeDeadLettersOfScored,
  insertDeadLetters,
} from '../../src/core/store/dead-letters/dead-letters.ts';
import { insertLabels } from '../../src/core/store/labels/insert-labels.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { mergeIncrements, readTotals } from '../../src/core/store/tallies/day-tallies.ts';
import {
  claimTransactions,
  type NewTransaction,
} from '../../src/core/store/transactions/transactions.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { markPurged, markReplayed } from '../../src/rooms/dead-letters/store.ts';
import { openTestDatabase } from '../support/database.ts';
import { deliver } from '../support/delivered.ts';
import { insertScores } from '../support/insert-scores.ts';
import { openSlices } from '../support/key-rows.ts';
import { recountDays } from '../support/recount-days.ts';
import { idAt } from '../support/stored-rows.ts';

const RUNS = 8;
const BASE_MS = Date.UTC(2026, 4, 31, 22);
/** Most transactions of a run. */
const POOL = 40;

/** Late and early by days and months; amounts beyond what a double holds. */
function transactionOf(run: number, n: number): NewTransaction {
  const createdAtMs = BASE_MS + ((n * 7) % 5) * 3_600_000 - (n % 3) * 20 * DAY_MS;
  return {
    transactionId: idAt(createdAtMs, run * POOL + n),
    ...{ createdAtMs, receivedAtMs: BASE_MS, accountId: `acc_${n % 4}`, merchantId: 'm_1' },
    amount: n % 7 === 0 ? `999999999999${n}.0${n % 10}` : `${n + 1}.${n % 2 === 0 ? '5' : '25'}`,
    currency: n % 4 === 0 ? 'JPY' : 'USD',
    corridor: n % 5 === 0 ? 'GB-NG' : 'US-EG',
    ...{ type: null, ip: null, deviceId: null, country: null, channel: null, metadata: null },
    declared: null,
    idempotencyKey: `${run}-${String(n).padStart(4, '0')}`,
    fingerprint: 'ab'.repeat(16),
  };
}

const some = fc.uniqueArray(fc.nat({ max: POOL - 1 }), { minLength: 1, maxLength: 12 });
const cut = fc.oneof(fc.constant(null), fc.nat({ max: 3 }));
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('post' as const), some, isBad: fc.nat(5) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('score' as const),
      some,
      verdict: fc.nat(2),
      reasons: fc.uniqueArray(fc.constantFrom('AMOUNT_HIGH', 'MODEL', 'NEW_DEVICE')),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('label' as const),
      some,
      label: fc.constantFrom(...LABEL_VALUES),
      day: fc.nat(2),
      source: fc.constantFrom('bank', 'chargeback'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('dead' as const),
      how: fc.constantFrom(
        'give up' as const,
        'replay' as const,
        'purge' as const,
        'close' as const,
      ),
      some,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('merge' as const),
      cut,
      most: fc.integer({ min: 1, max: 30 }),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const { testDatabase, database } = await openTestDatabase({ connectionsMax: 8 });
const slices = openSlices(database);
const month = monthOf(BASE_MS);
await ensurePartitions(database, [month - 2, month - 1, month, month + 1]);

class Cut extends Failure {
  constructor() {
    super('permanent', 'CUT', 'cut off');
  }
}

/** Aborts before the statement of this number, commits included, like a process that dies there. */
function cutOff(at: number | null): Pick<Database, 'transaction'> {
  let statements = 0;
  const pass = () => {
    if (statements++ === at) throw new Cut();
  };
  return {
    transaction: (work) =>
      database.transaction(async (query) => {
        const counted: Query = async (statement, values) => {
          pass();
          return await query(statement, values);
        };
        const result = await work(counted);
        pass();
        return result;
      }),
  };
}

async function post(rows: readonly NewTransaction[], isBad: boolean): Promise<void> {
  const transactions = rows.map((row, at) => (isBad && at === 0 ? { ...row, amount: '0' } : row));
  const planned = planRows(idAt(BASE_MS), () => 1, transactions);
  const batch = { client: 'default', transactions, rows: planned };
  const claimed = claimTransactions(database, slices, batch);
  const claim = await (isBad ? claimed.catch(() => ({ held: new Map() })) : claimed);
  const held = 'known' in claim ? claim.known : new Map();
  const free = rows.filter((_, at) => !held.has(transactions[at] as NewTransaction));
  if (held.size > 0 && free.length > 0) await post(free, isBad);
}

async function act(run: number, one: Action): Promise<unknown> {
  if (one.kind === 'merge') {
    return await mergeIncrements(cutOff(one.cut), one.most).catch((error: unknown) => {
      if (!(error instanceof Cut)) throw error;
    });
  }
  const rows = one.some.toSorted((a, b) => a - b).map((n) => transactionOf(run, n));
  if (one.kind === 'post') return await post(rows, one.isBad === 0);
  if (one.kind === 'dead') return await actOnDead(one.how, rows);
  const stored = await keepStored(rows);
  if (one.kind === 'label') {
    const label = { label: one.label, labelledAtMs: BASE_MS + (1 + one.day) * DAY_MS };
    const reporter = { client: 'default', identity: null };
    const rest = { source: one.source, amountToMedian: null, note: null };
    const labels = stored
      .map((row) => ({ ...row, ...label, ...rest }))
      .sort((a, b) => (a.transactionId < b.transactionId ? -1 : 1));
    const batch = { batchId: idAt(BASE_MS), receivedAtMs: BASE_MS + 3 * DAY_MS, reporter, labels };
    return await database.transaction((query) => insertLabels(query, batch));
  }
  const verdict = VERDICTS[one.verdict] ?? 'review';
  const none = { probability: null, byRules: null };
  const judged = { score: 300 * one.verdict, risk: 0.1, ...none, verdict };
  const reasons = one.reasons.map((code) => ({ code, detail: code, contribution: 1 }));
  const scores = deliver(stored).map((transaction, row) => ({
    ...{ transaction, decision: { ...judged, reasons: row % 3 === 0 ? [] : reasons } },
    ...{ features: Float64Array.of(1), attempts: 1, degradation: 0 },
    ...{ ruleInputs: null, margin: 0, scorecard: null },
    ruleSet: row % 4 < 2 ? 'default@3' : 'default@3-tightened-10',
    model: row % 2 === 0 ? null : 'm@1',
  }));
  return await insertScores(database, scores, BASE_MS);
}

/** Only what is stored is delivered, or labelled. */
async function keepStored(rows: readonly NewTransaction[]): Promise<NewTransaction[]> {
  const stored = await database.query<{ transaction_id: string }>(
    {
      text: 'select transaction_id from market.transactions where transaction_id = any($1::uuid[])',
    },
    [rows.map((row) => row.transactionId)],
  );
  const ids = new Set(stored.map((row) => row.transaction_id));
  return rows.filter((row) => ids.has(row.transactionId));
}

async function actOnDead(
  how: Extract<Action, { kind: 'dead' }>['how'],
  rows: readonly NewTransaction[],
): Promise<unknown> {
  if (how === 'close') {
    return await closeDeadLettersOfScored(
      database,
      rows.map((row) => row.transactionId),
    );
  }
  if (how === 'give up') {
    const why = { attempts: 4, errorCode: 'TEST', error: 'test', entry: '{}' };
    const letters = rows.map((row, at) => ({
      ...{ ...row, ...why, stream: 'stream', entryId: row.idempotencyKey, rowId: null },
      ...{ transactionId: at === 3 ? null : row.transactionId, failedAtMs: row.createdAtMs },
    }));
    return await insertDeadLetters(database, letters);
  }
  const mark = how === 'replay' ? markReplayed : markPurged;
  const selection = { failedBeforeMs: BASE_MS + DAY_MS, corridor: rows[0]?.corridor };
  return await database.transaction((query) => mark(query, selection, BASE_MS, rows.length));
}

const definition = {
  name: 'totals-by-definition',
  text: `select (select count(*)::int from market.transactions) as accepted, (select count(*)::int from market.scores) as scored,
                (select count(transaction_id)::int from market.dead_letters where replayed_at is null) as dead_lettered,
                (select count(*)::int from market.dead_letters where replayed_at is null and purged_at is null) as dead_letter`,
};

async function check(): Promise<void> {
  const { totals, countedTo } = await readTotals(database);
  expect(countedTo).toBeNull();
  const found: Record<string, number> = {
    accepted: 0,
    scored: 0,
    dead_lettered: 0,
    dead_letter: 0,
  };
  for (const { outcome, count } of totals) {
    const name = (VERDICTS as readonly string[]).includes(outcome) ? 'scored' : outcome;
    found[name] = (found[name] ?? 0) + count;
  }
  expect([found]).toEqual(await database.query(definition));
}

async function recount(): Promise<void> {
  expect((await recountDays(database)).differing).toEqual([]);
}

test('tallies equal a recount, whatever is stored, stored again or cut off', async () => {
  let run = 0;
  const rounds = fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), {
    minLength: 6,
    maxLength: 16,
  });
  await fc.assert(
    fc.asyncProperty(rounds, async (all) => {
      run++;
      for (const round of all) {
        await Promise.all(round.map((one) => act(run, one)));
        await check();
      }
      await recount();
      while (await mergeIncrements(database, 7));
      expect(await testDatabase.sql('select from daily_increments')).toEqual([]);
      await check();
      await recount();
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
