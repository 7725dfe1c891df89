/**
 * The rate of Postgres here with the engine's own statements and nothing around them: rows and durable
 * commits a second, from one process that does nothing else.
 */
import { FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import { createPartitionGuard } from '../../src/core/store/partitions/partitions.ts';
import { insertScores } from '../../src/core/store/scores/scores.ts';
import { claimTransactions } from '../../src/core/store/transactions/transactions.ts';
import { type Database, openPool } from '../../src/kit/database/pool.ts';
import { toNewScores } from '../../test/support/delivered.ts';
import { createAloneScorer, RULE_SET } from './empty-history.ts';
import { openKeySlices } from './key-slices.ts';
import type { MadeBatch } from './made-rows.ts';
import { MARKET } from './market.ts';

const COMMITS = 4000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** Writers at once: as many as keep two cores busy, and as the generator has connections singly. */
const WRITERS = 4;
const COMMITTERS = 32;

export async function postgresCeilings(
  url: string,
  batches: readonly MadeBatch[],
): Promise<Readonly<Record<string, number>>> {
  await using database = openPool({
    ...{ url, market: MARKET, role: 'ceiling', connectionsMax: COMMITTERS, namedStatements: true },
    ...{ connectTimeoutMs: STATEMENT_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
  });
  const all = batches.flatMap(({ transactions }) => transactions);
  await createPartitionGuard(database).ensure(all.map(({ createdAtMs }) => createdAtMs));
  const half = Math.ceil(batches.length / 2);
  return {
    conflict_insert_1_connection_rows_per_second: await claim(database, batches.slice(0, half), 1),
    conflict_insert_4_connections_rows_per_second: await claim(
      database,
      batches.slice(half),
      WRITERS,
    ),
    score_insert_1_connection_rows_per_second: await store(database, batches),
    commits_1_connection_per_second: await commit(database, 1),
    commits_32_connections_per_second: await commit(database, COMMITTERS),
  };
}

/** Keys, transactions and the open batch in one commit, as the API writes them. */
async function claim(
  database: Database,
  batches: readonly MadeBatch[],
  writers: number,
): Promise<number> {
  const rows = batches.reduce((sum, { transactions }) => sum + transactions.length, 0);
  const slices = openKeySlices(database);
  return await rate(rows, () =>
    inTurn(batches, writers, async (batch) => {
      await claimTransactions(database, slices, batch);
    }),
  );
}

async function store(database: Database, batches: readonly MadeBatch[]): Promise<number> {
  const scoreAlone = createAloneScorer();
  const lineage = { featureSchema: FEATURE_SCHEMA };
  const rest = { model: null, attempts: 1, degradation: 0, ruleSet: RULE_SET };
  const scores = batches.map(({ transactions }) =>
    toNewScores(transactions.map((one) => ({ ...one, ...scoreAlone(one), ...rest }))),
  );
  const rows = scores.reduce((sum, { length }) => sum + length, 0);
  return await rate(rows, () =>
    inTurn(scores, 1, async (some) => {
      await insertScores(database, some, { ...lineage, scoredAtMs: Date.now() });
    }),
  );
}

/** Commits of one small row each: how many synchronous writes a second this disk takes. */
async function commit(database: Database, committers: number): Promise<number> {
  const statement = {
    name: 'ceiling-commit',
    text: 'insert into market.bench_commits values ($1)',
  };
  await database.query({ text: 'create table market.bench_commits (n int)' });
  const perSecond = await rate(COMMITS, () =>
    inTurn(
      Array.from({ length: COMMITS }, (_, n) => n),
      committers,
      async (n) => {
        await database.query(statement, [n]);
      },
    ),
  );
  await database.query({ text: 'drop table market.bench_commits' });
  return perSecond;
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (count * 1000) / (performance.now() - started);
}

/** Runs `work` once for each item, `workers` of them at a time. */
async function inTurn<Item>(
  items: readonly Item[],
  workers: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const drive = async () => {
    for (let at = next++; at < items.length; at = next++) await work(items[at] as Item);
  };
  await Promise.all(Array.from({ length: workers }, drive));
}
