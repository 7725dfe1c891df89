/**
 * The cost of a score that is sealed. Scores are stored as workers store them, blocks of batches in turn without and with hashes
 * for the log; then the sealer's steps take them all. Processor time of Postgres, of the process that stores and of the one that seals.
 */
import { ensurePartitions } from '../src/core/store/partitions/partitions.ts';
import type { ScoredStatement } from '../src/core/store/scores/score-values.ts';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import type { Database } from '../src/kit/database/pool.ts';
import { monthOf } from '../src/kit/words/month.ts';
import { sealStep } from '../src/rooms/evidence/seal/seal.ts';
import { addUnsealed } from '../src/rooms/evidence/store/unsealed.ts';
import { insertScores } from '../test/support/insert-scores.ts';
import type { Bench } from './support/bench.ts';
import { MONTH_LOAD } from './support/load.ts';
import { type MadeBatch, madeBatches } from './support/made-rows.ts';
import { scoresOf } from './support/made-scores.ts';
import { treeCpuSeconds } from './support/process-usage.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { openMarketPool } from './support/sealed-scores.ts';
import { type Services, startServices } from './support/services.ts';

const USAGE = `--rows N           scores of each part (200000)
--batch N          scores a statement (1000)`;

const DAYS = 1;
const ORIGIN = 'bench/market';
/** Scores of a block. Fewer: the tick of the processor's clock, 10 ms, counts; more: both parts have other neighbours. */
const BLOCK_SCORES = 20_000;

export const bench: Bench = {
  name: 'evidence',
  question: 'What does a score cost that is sealed?',
  usage: USAGE,
  run: async function* (args, { log, signal, output }) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, { rows: text, batch: text });
    const rows = integerOption('--rows', values.rows, { min: 1000, max: 10_000_000 }, 200_000);
    const batch = integerOption('--batch', values.batch, { min: 1, max: 1000 }, 1000);
    await using folder = await makeRunFolder('risk-bench');
    const options = { dataDir: `${folder.path}/data`, log, signal };
    await using services = await startServices(options);
    await using database = openMarketPool(services.databaseUrl);
    await sealStep(database, ORIGIN, undefined, Date.now());
    output.note(`${rows} scores stored without hashes, and ${rows} with`);
    const { plain, hashed } = await storeAll(services, rows, batch);
    output.note('sealed');
    const sealed = await sealAll(database, () => treeCpuSeconds(services.postgresPid), signal);
    const stored = {
      store_postgres_us: plain.postgresUs,
      store_process_us: plain.processUs,
      hash_postgres_us: hashed.postgresUs - plain.postgresUs,
      hash_process_us: hashed.processUs - plain.processUs,
      seal_postgres_us: sealed.postgresUs,
      seal_process_us: sealed.processUs,
    };
    const { hash_postgres_us, hash_process_us, seal_postgres_us, seal_process_us } = stored;
    yield {
      caseName: `batches of ${batch}`,
      inputs: { rows, batch, ...services.settings },
      settings: {},
      versions: services.versions,
      perSecond: sealed.scores / sealed.seconds,
      figures: {
        ...stored,
        all_us: hash_postgres_us + hash_process_us + seal_postgres_us + seal_process_us,
        bytes_a_score: await bytesOf(database, sealed.scores),
      },
      ceilings: [],
      tables: [],
      breaches: sealed.scores >= rows ? [] : [`${sealed.scores} of ${rows} were sealed`],
    };
  },
};

type Cost = { readonly postgresUs: number; readonly processUs: number };

/** Stores both parts. Each block's scores are made just before it is stored, as collections of a large heap would count for one part. */
async function storeAll({ databaseUrl, postgresPid }: Services, rows: number, batch: number) {
  const endMs = Date.now();
  const block = Math.ceil(BLOCK_SCORES / batch);
  const rounds = Math.ceil(rows / (block * batch));
  const transactions = 2 * (rounds + 1) * block * batch;
  const made = madeBatches({ ...MONTH_LOAD, batch, transactions, days: DAYS, endMs });
  // A connection has one text for the name of a statement.
  await using plainPool = openMarketPool(databaseUrl);
  await using hashedPool = openMarketPool(databaseUrl);
  await ensurePartitions(plainPool, [monthOf(endMs), monthOf(endMs) - 1]);
  const store = async (pool: Database, added: readonly ScoredStatement[]): Promise<Cost> => {
    const some = Array.from({ length: block }, () => scoresOf(nextOf(made)));
    const [postgres, own] = [treeCpuSeconds(postgresPid), process.cpuUsage()];
    for (const scores of some) await insertScores(pool, scores, Date.now(), added);
    const { user, system } = process.cpuUsage(own);
    const scores = block * batch;
    return {
      postgresUs: (1e6 * (treeCpuSeconds(postgresPid) - postgres)) / scores,
      processUs: (user + system) / scores,
    };
  };
  const parts = [
    { pool: plainPool, added: [], costs: [] as Cost[] },
    { pool: hashedPool, added: [addUnsealed(true)], costs: [] as Cost[] },
  ] as const;
  // Blocks in turn, and each part first in every second round, so that both have the same neighbours. The first round counts for
  // neither, as a process is slow at first.
  for (let round = 0; round <= rounds; round++) {
    for (const { pool, added, costs } of round % 2 === 0 ? parts : parts.toReversed()) {
      const cost = await store(pool, added);
      if (round > 0) costs.push(cost);
    }
  }
  const [plain, hashed] = parts;
  return { plain: meanOf(plain.costs), hashed: meanOf(hashed.costs) };
}

function nextOf(batches: Generator<MadeBatch, void>): MadeBatch {
  const { value } = batches.next();
  if (value === undefined) throw new Error('a batch for each statement');
  return value;
}

const meanOf = (costs: readonly Cost[]): Cost => ({
  postgresUs: costs.reduce((sum, { postgresUs }) => sum + postgresUs, 0) / costs.length,
  processUs: costs.reduce((sum, { processUs }) => sum + processUs, 0) / costs.length,
});

async function sealAll(database: Database, cpu: () => number, signal: AbortSignal) {
  const [began, postgres, own] = [performance.now(), cpu(), process.cpuUsage()];
  let scores = 0;
  let known: Awaited<ReturnType<typeof sealStep>>['edge'] | undefined;
  for (;;) {
    signal.throwIfAborted();
    const step = await sealStep(database, ORIGIN, known, Date.now());
    known = step.edge;
    scores += step.scores;
    if (!step.mayHaveMore) break;
  }
  const used = process.cpuUsage(own);
  return {
    scores,
    seconds: (performance.now() - began) / 1000,
    postgresUs: (1e6 * (cpu() - postgres)) / scores,
    processUs: (used.user + used.system) / scores,
  };
}

async function bytesOf(database: Database, scores: number): Promise<number> {
  const [row] = await database.query<{ bytes: number }>({
    text: `select pg_total_relation_size('market.evidence_entries')::float8 as bytes`,
  });
  return (row?.bytes ?? 0) / scores;
}
