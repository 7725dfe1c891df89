/** Statements that store the same rows, in turn, each on a connection and in tables of its own. */
import type pg from 'pg';
import { type Database, openPool } from '../../src/kit/database/pool.ts';
import type { BenchReport } from './bench.ts';
import type { MadeBatch } from './made-rows.ts';
import { treeCpuSeconds } from './process-usage.ts';
import type { Services } from './services.ts';
import { spreadOf } from './spread.ts';

const STATEMENT_TIMEOUT_MS = 60_000;

/** A form of a statement. */
export type Arm = {
  readonly name: string;
  /** Tables that the statement writes: the arm has empty copies of them, with one partition each, in a schema of its own. */
  readonly tables: readonly string[];
  /** Changes these copies. */
  readonly ddl: readonly string[];
  readonly store: (database: Database, batch: MadeBatch) => Promise<unknown>;
};

type Round = { readonly cpuUs: number; readonly walBytes: number };
type OpenArm = Arm & {
  readonly schema: string;
  readonly database: Database;
  readonly backendPid: number;
  readonly rounds: Round[];
};

type Options = {
  readonly batches: readonly MadeBatch[];
  readonly rounds: number;
  readonly signal: AbortSignal;
};

/** Costs per row, as medians of the rounds; each round begins with another arm. */
export async function measureArms(
  services: Services,
  arms: readonly Arm[],
  { batches, rounds, signal }: Options,
): Promise<Pick<BenchReport, 'perSecond' | 'figures' | 'tables' | 'breaches'>> {
  await using opened = new AsyncDisposableStack();
  const open: OpenArm[] = [];
  for (const [at, arm] of arms.entries()) {
    const schema = `arm_${at}`;
    await copyTables(services.database, schema, arm);
    opened.defer(async () => {
      await services.database.query(`drop schema ${schema} cascade`);
    });
    const database = opened.use(openDatabase(services.databaseUrl, schema));
    const [backend] = await database.query<{ pid: number }>(backendPid);
    open.push({ ...arm, schema, database, backendPid: backend?.pid ?? 0, rounds: [] });
  }
  const rows = batches.reduce((sum, { transactions }) => sum + transactions.length, 0);
  const breaches: string[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < open.length; turn++) {
      signal.throwIfAborted();
      const arm = open[(round + turn) % open.length] as OpenArm;
      const { stored, ...used } = await runRound(services.database, arm, batches);
      if (stored !== rows) breaches.push(`${arm.name}: stored ${stored} of ${rows} rows`);
      // The first round warms plans, caches and files up.
      if (round > 0) arm.rounds.push({ cpuUs: used.cpuUs / rows, walBytes: used.walBytes / rows });
    }
  }
  return { ...report(open), breaches };
}

const backendPid = { name: 'backend-pid', text: 'select pg_backend_pid() as pid' };

/** Each arm keeps one connection, whose backend is measured. */
function openDatabase(databaseUrl: string, schema: string): Database {
  return openPool({
    ...{ url: databaseUrl, market: schema, role: 'bench', connectionsMax: 1 },
    ...{ namedStatements: true, idleTimeoutMs: 0 },
    ...{ connectTimeoutMs: STATEMENT_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
  });
}

async function copyTables(client: pg.Client, schema: string, { tables, ddl }: Arm): Promise<void> {
  await client.query(`create schema ${schema}`);
  for (const table of tables) {
    const { rows } = await client.query<{ key: string | null }>(
      'select pg_get_partkeydef($1::regclass) as key',
      [table],
    );
    const key = rows[0]?.key ?? null;
    const copy = `${schema}.${table}`;
    await client.query(
      `create table ${copy} (like ${table} including all) ${key === null ? '' : `partition by ${key}`}`,
    );
    if (key === null) continue;
    await client.query(`create table ${copy}_all partition of ${copy} default`);
  }
  for (const text of ddl) await client.query(text.replaceAll('SCHEMA', schema));
}

async function runRound(
  client: pg.Client,
  { schema, tables, database, backendPid, store }: OpenArm,
  batches: readonly MadeBatch[],
): Promise<Round & { readonly stored: number }> {
  await client.query(`truncate ${tables.map((table) => `${schema}.${table}`).join(', ')}`);
  const walAt = await readWal(client);
  const cpuAt = treeCpuSeconds(backendPid);
  for (const batch of batches) await store(database, batch);
  const cpuUs = (treeCpuSeconds(backendPid) - cpuAt) * 1e6;
  const walBytes = (await readWal(client)) - walAt;
  const { rows } = await client.query<{ stored: number }>(
    `select count(*)::int as stored from ${schema}.${tables[0]}`,
  );
  return { cpuUs, walBytes, stored: rows[0]?.stored ?? 0 };
}

async function readWal(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    `select (pg_current_wal_insert_lsn() - '0/0')::float8 as bytes`,
  );
  return rows[0]?.bytes ?? 0;
}

function report(arms: readonly OpenArm[]): Pick<BenchReport, 'perSecond' | 'figures' | 'tables'> {
  const [engine] = arms;
  const cpuOf = (arm: OpenArm | undefined) =>
    spreadOf((arm?.rounds ?? []).map(({ cpuUs }) => cpuUs));
  const tableRows = arms.map((arm) => {
    const cpu = cpuOf(arm);
    const ratios = arm.rounds.map(({ cpuUs }, at) => cpuUs / (engine?.rounds[at]?.cpuUs ?? 1));
    return {
      statement: arm.name,
      median_us: cpu.median.toFixed(2),
      min_us: cpu.min.toFixed(2),
      max_us: cpu.max.toFixed(2),
      of_engine: spreadOf(ratios).median.toFixed(2),
      wal_bytes: spreadOf(arm.rounds.map(({ walBytes }) => walBytes)).median.toFixed(0),
    };
  });
  const { median } = cpuOf(engine);
  return {
    perSecond: 1e6 / median,
    figures: { engine_backend_us: median },
    tables: [{ title: 'a row costs the backend', rows: tableRows }],
  };
}
