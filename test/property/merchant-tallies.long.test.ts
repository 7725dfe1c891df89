/**
 * Goal: the tallies of a rebuild equal a count of the merchant's committed rows at any moment, and the durable
 * tallies equal a recount, whatever the order of commits, however late the rows and wherever a step is cut off.
 * Method: random steps against a real Postgres, with tiny bounds, database transactions that stay open while
 * the tallies move on, and steps that are rolled back at any of their statements.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LABEL_MATURITY_DAYS } from '../../src/core/domain/history.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { createTallies } from '../../src/core/store/tallies/fold-tallies.ts';
import { loadTallies } from '../../src/core/store/tallies/merchant-tallies.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { DAY_MS, dayOf } from '../../src/kit/words/range.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { recountTallies } from '../support/recount-tallies.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const RUNS = 25;
const HOUR_MS = 3_600_000;
const BASE_MS = Date.UTC(2026, 4, 31, 22);
const MERCHANTS = ['m_0', 'm_1', 'm_2'] as const;
const BOUNDS = { countedRowsMax: 6, partRowsMax: 4, stepRows: 7 };
/** Database transactions that may be open at the same time. */
const WRITERS = 3;

const row = fc.record({
  // Few times in few hours, so that hours are divided and times are shared; some in other months.
  offsetMs: fc.oneof(
    fc.integer({ min: 0, max: 9 }).map((n) => (n * HOUR_MS) / 5),
    fc.integer({ min: 0, max: 9 }).map((n) => (n * HOUR_MS) / 5),
    fc.integer({ min: -100, max: 20 }).map((days) => days * DAY_MS),
  ),
  merchant: fc.nat({ max: MERCHANTS.length - 1 }),
  currency: fc.constantFrom('USD', 'USD', 'JPY'),
  amount: fc.integer({ min: 1, max: 999_999 }).map((cents) => (cents / 100).toFixed(2)),
  sequence: fc.nat({ max: 2 ** 32 }),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      writer: fc.nat({ max: WRITERS - 1 }),
      rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      how: fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const),
      writer: fc.nat({ max: WRITERS - 1 }),
    }),
  },
  {
    weight: 4,
    // Aborted before one of its statements; most often not at all.
    arbitrary: fc.record({
      kind: fc.constant('keep' as const),
      step: fc.constantFrom('fold' as const, 'fill' as const),
      cut: fc.oneof(fc.constant(null), fc.nat({ max: 6 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('adopt' as const),
      merchant: fc.nat({ max: MERCHANTS.length - 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('look' as const), horizon: row, days: fc.nat(120) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Cut extends Failure {
  constructor() {
    super('permanent', 'CUT', 'cut off');
  }
}

const passCut = (error: unknown): void => {
  if (!(error instanceof Cut)) throw error;
};

/** A database whose transactions are rolled back before the statement of the number `cut`. */
function cutOff(database: Database, cut: number | null): Pick<Database, 'query' | 'transaction'> {
  return {
    query: database.query,
    transaction: (work) =>
      database.transaction(async (query) => {
        let statements = 0;
        const counted: Query = async (statement, values) => {
          if (statements++ === cut) throw new Cut();
          return await query(statement, values);
        };
        const result = await work(counted);
        if (cut !== null) throw new Cut();
        return result;
      }),
  };
}

/** A database transaction that stays open from its first rows until it is ended. */
function createWriter(database: Database) {
  let open: { query: Query; end: (how: 'commit' | 'rollback') => Promise<void> } | undefined;
  const begin = () =>
    new Promise<NonNullable<typeof open>>((resolve, reject) => {
      const ended = Promise.withResolvers<'commit' | 'rollback'>();
      const done = database
        .transaction(async (query) => {
          const end = async (how: 'commit' | 'rollback') => {
            ended.resolve(how);
            await done;
          };
          resolve({ query, end });
          if ((await ended.promise) === 'rollback') throw new Cut();
        })
        .catch(passCut)
        .catch(reject);
    });
  return {
    write: async (rows: readonly Row[]) => {
      open ??= await begin();
      await insert(open.query, rows);
    },
    end: async (how: 'commit' | 'rollback') => {
      await open?.end(how);
      open = undefined;
    },
  };
}

async function insert(query: Query, rows: readonly Row[]): Promise<void> {
  const json = rows.map(({ offsetMs, merchant, currency, amount, sequence }) => ({
    id: idAt(BASE_MS + offsetMs, sequence),
    at: new Date(BASE_MS + offsetMs).toISOString(),
    merchant: MERCHANTS[merchant],
    ...{ currency, amount },
  }));
  await query(
    {
      text: `insert into market.transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
             select 'default', id, at, now(), 'acc_1', merchant, 'US-EG', amount, currency
               from json_to_recordset($1) as r (id uuid, at timestamptz, merchant text, amount numeric, currency text)`,
    },
    [JSON.stringify(json)],
  );
}

/** The definition: all committed rows until the horizon, counted. */
const definition = {
  name: 'tallies-by-definition',
  text: `select date_bin(case when created_at < $4 then interval '24 hours' else interval '1 hour' end, created_at,
                         timestamptz '1970-01-01T00:00:00Z') as at,
                created_at < $4 as daily, currency, count(*)::int as count, sum(amount)::text as sum
           from market.transactions
          where merchant_id = $1 and created_at >= $5 and (created_at, transaction_id) <= ($2, $3)
          group by 1, 2, 3 order by 1, 3`,
};

async function look(query: Query, { horizon, days }: Extract<Step, { kind: 'look' }>) {
  const merchantId = MERCHANTS[horizon.merchant] ?? 'm_0';
  const atMs = BASE_MS + horizon.offsetMs;
  const place = { createdAtMs: atMs, transactionId: idAt(atMs, horizon.sequence) };
  const sinceMs = dayOf(atMs) - days * DAY_MS;
  const [tallies = []] = await loadTallies(
    query,
    [{ merchantId, sinceMs, horizon: place }],
    LABEL_MATURITY_DAYS,
  );
  const defined = await query<{
    at: Date;
    daily: boolean;
    currency: string;
    count: number;
    sum: string;
  }>(definition, [
    merchantId,
    new Date(atMs),
    place.transactionId,
    new Date(dayOf(atMs) - (LABEL_MATURITY_DAYS + 1) * DAY_MS),
    new Date(sinceMs),
  ]);
  const sorted = tallies.toSorted(
    (a, b) => a.bucketMs - b.bucketMs || (a.currency < b.currency ? -1 : 1),
  );
  expect(sorted).toEqual(defined.map(({ at, ...tally }) => ({ bucketMs: at.getTime(), ...tally })));
}

async function check(test: TestDatabase, steps: readonly Step[]): Promise<void> {
  await using database = test.open({ connectionsMax: WRITERS + 3 });
  for (const table of [
    'transactions',
    'tallied_merchants',
    'merchant_hours',
    'merchant_hour_parts',
  ]) {
    await test.sql(`truncate ${table}`);
  }
  const writers = Array.from({ length: WRITERS }, () => createWriter(database));
  const stored = new Set<string>();
  // An id that is stored twice would wait for the transaction that has it open.
  const isNew = ({ offsetMs, sequence }: Row) => {
    const id = `${offsetMs}-${sequence}`;
    return !stored.has(id) && stored.add(id);
  };
  const run = async (one: Step) => {
    if (one.kind === 'write') await writers[one.writer]?.write(one.rows.filter(isNew));
    else if (one.kind === 'adopt') await adopt(database.query, MERCHANTS[one.merchant] ?? 'm_0');
    else if (one.kind === 'look') await look(database.query, one);
    else if (one.kind === 'end') await writers[one.writer]?.end(one.how);
    else {
      const tallies = createTallies(cutOff(database, one.cut), Math.random, BOUNDS);
      await tallies[one.step]().catch(passCut);
    }
  };
  try {
    for (const one of steps) await run(one);
  } finally {
    for (const writer of writers) await writer.end('commit');
  }
  for (const one of steps) if (one.kind === 'look') await look(database.query, one);
  await settle(database);
  for (const one of steps) if (one.kind === 'look') await look(database.query, one);
  for (const merchant of MERCHANTS) {
    expect(await recountTallies(database.query, merchant)).toMatchObject({ different: 0 });
  }
}

async function adopt(query: Query, merchant: string): Promise<void> {
  await query(
    {
      text: 'insert into market.tallied_merchants (merchant_id) values ($1) on conflict do nothing',
    },
    [merchant],
  );
}

/** Until every row that is committed is in the tallies: other databases of the server may hold transactions open. */
async function settle(database: Database): Promise<void> {
  for (const merchant of MERCHANTS) await adopt(database.query, merchant);
  const tallies = createTallies(database, Math.random, BOUNDS);
  while (await tallies.fill());
  const left = {
    text: 'select 1 from market.transactions where inserted_xid >= (select folded_to from market.tally_checkpoint) limit 1',
  };
  const isFolded = async () => {
    await tallies.fold();
    return (await database.query(left)).length === 0;
  };
  await waitUntil(isFolded, 20_000, 'every row to be in the tallies');
}

test('rows that are tallied and rows that are not make up all rows, at any moment', async () => {
  await using database = await createTestDatabase();
  await using pool = database.open();
  const months = Array.from({ length: 6 }, (_, index) => monthOf(BASE_MS) - 4 + index);
  await ensurePartitions(pool, months);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 90 }), (steps) =>
      check(database, steps),
    ),
    { numRuns: RUNS, endOnFailure: true },
  );
});
