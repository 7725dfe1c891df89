/** Time of an archive with its read-back and of a restore, divided by the time of plain COPY of the same rows out and in. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline as pipe } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { openPool } from '../src/kit/database/pool.ts';
import {
  exportTable,
  listTables,
  type Named,
  type Stored,
  verifyArchive,
} from '../src/rooms/archive/export-table.ts';
import { openFolder } from '../src/rooms/archive/file-stores/folder.ts';
import { loadTable } from '../src/rooms/archive/load-table.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { fillHistory } from './support/history-rows.ts';
import { DAY_MS, lastMidnightMs } from './support/load.ts';
import { MARKET, marketUrl } from './support/market.ts';
import { readOptions } from './support/options.ts';
import { startPipeline } from './support/pipeline.ts';

const USAGE = `--rows N           transactions, each with its score (300000)
--rounds N         (3)`;
const RATIO_MAX = 2.5;
const PAST = { months: 1, rowsEachAccount: 20, rowsEachMerchant: 80 };
const KINDS = ['transactions', 'scores'];

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1000;
}

async function* measure(
  rows: number,
  rounds: number,
  context: BenchContext,
): AsyncGenerator<BenchReport> {
  const past = { ...PAST, rows, endMs: lastMidnightMs() - 40 * DAY_MS };
  await using pipeline = await startPipeline(
    {
      ...{ workers: 0, settings: {} },
      prepare: (services) => fillHistory(services, past, context.output.note),
    },
    context,
  );
  const { services, folder } = pipeline;
  await using pool = openPool({
    ...{ url: services.databaseUrl, market: MARKET, role: 'bench', connectionsMax: 2 },
    ...{ namedStatements: true, connectTimeoutMs: 10_000, statementTimeoutMs: 600_000 },
  });
  const client = new pg.Client({ connectionString: marketUrl(services.databaseUrl) });
  await client.connect();
  const all = await listTables(pool.query, MARKET);
  const tables = all.filter(({ name }) => KINDS.some((kind) => name.startsWith(`${kind}_y`)));
  const filled: Named[] = [];
  for (const table of tables) {
    const { rows: found } = await client.query(`select from ${table.name} limit 1`);
    if (found.length > 0) filled.push(table);
  }
  try {
    for (let round = 1; round <= rounds; round++) {
      const place = join(folder, `archive-${round}`);
      await mkdir(place);
      const stored: Stored = { store: openFolder(place), archive: 'bench', key: null };
      const made: Awaited<ReturnType<typeof exportTable>>[] = [];
      const exported = await timed(async () => {
        for (const table of filled)
          made.push(await exportTable(pool, stored, table, ['transaction_id']));
      });
      const verified = await timed(() => verifyArchive(stored, { tables: made }));
      const copies = async () => {
        for (const { name } of filled)
          await client.query(
            `drop table if exists copy_of_${name}; create table copy_of_${name} (like ${name} including all)`,
          );
      };
      await copies();
      const restored = await timed(async () => {
        for (const table of made)
          await pool.copyTransaction((query, copy) =>
            loadTable(query, copy, stored, table, { name: `copy_of_${table.name}` }),
          );
      });
      await copies();
      const copied = await timed(async () => {
        for (const { name } of filled) {
          const file = join(folder, `${name}.copy`);
          await pipe(client.query(copyTo(`copy ${name} to stdout`)), createWriteStream(file));
          await pipe(
            createReadStream(file),
            client.query(copyFrom(`copy copy_of_${name} from stdin`)),
          );
        }
      });
      const ratio = (exported + verified + restored) / copied;
      yield {
        caseName: `round ${round}`,
        inputs: { rows, ...services.settings },
        settings: {},
        versions: services.versions,
        perSecond: rows / (exported + verified + restored),
        figures: {
          exported_s: exported,
          verified_s: verified,
          restored_s: restored,
          copied_s: copied,
          divided_by_copy: ratio,
        },
        ceilings: [],
        tables: [],
        breaches:
          ratio > RATIO_MAX ? [`${ratio.toFixed(2)} times COPY; ${RATIO_MAX} is the bound`] : [],
      };
    }
  } finally {
    await client.end();
  }
}

export const bench: Bench = {
  name: 'archive',
  question: 'How much longer than COPY do an archive and its restore take?',
  onlyByName: 'it takes minutes',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { rows: { or: 300_000, max: 100_000_000 }, rounds: { or: 3, max: 100 } };
    const { numbers } = readOptions(args, wholes, {});
    yield* measure(numbers.rows, numbers.rounds, context);
  },
};
