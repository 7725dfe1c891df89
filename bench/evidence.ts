/**
 * The cost of a score that is sealed. Scores are stored as workers store them, in batches, once without and once with the
 * row that names them for the log; then the sealer's steps take them all. Processor time of Postgres and of the process that seals.
 */
import { FEATURE_SCHEMA } from '../src/core/domain/feature-schema.ts';
import { ensurePartitions } from '../src/core/store/partitions/partitions.ts';
import type { ScoredStatement } from '../src/core/store/scores/scored-statement.ts';
import { insertScores } from '../src/core/store/scores/scores.ts';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import type { Database } from '../src/kit/database/pool.ts';
import { monthOf } from '../src/kit/words/month.ts';
import { sealStep } from '../src/rooms/evidence/seal/seal.ts';
import { addUnsealed } from '../src/rooms/evidence/store/unsealed.ts';
import type { Bench } from './support/bench.ts';
import { MONTH_LOAD } from './support/load.ts';
import { type MadeBatch, madeBatches } from './support/made-rows.ts';
import { createScores } from './support/made-scores.ts';
import { treeCpuSeconds } from './support/process-usage.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { openMarketPool } from './support/sealed-scores.ts';
import { type Services, startServices } from './support/services.ts';

const USAGE = `--rows N           scores of each part (200000)
--batch N          scores a statement (1000)`;

const DAYS = 1;

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
    const onProgress = (line: string) => output.note(line);
    const options = { dataDir: `${folder.path}/data`, log, signal, onProgress };
    await using services = await startServices(options);
    await using database = openMarketPool(services.databaseUrl);
    await sealStep(database, 'bench/market', undefined, Date.now());
    output.note(`${rows} scores stored without a name, and ${rows} with`);
    const stored = await storeAll(services, rows, batch);
    output.note('sealed');
    const sealed = await sealAll(database, () => treeCpuSeconds(services.postgresPid), signal);
    yield {
      caseName: `batches of ${batch}`,
      inputs: { rows, batch, ...services.settings },
      settings: {},
      versions: services.versions,
      perSecond: sealed.scores / sealed.seconds,
      figures: {
        store_postgres_us: stored.plainUs,
        name_postgres_us: stored.namedUs - stored.plainUs,
        seal_postgres_us: sealed.postgresUs,
        seal_process_us: sealed.processUs,
        bytes_a_score: await bytesOf(database, sealed.scores),
      },
      ceilings: [],
      tables: [],
      breaches: sealed.scores === rows ? [] : [`${sealed.scores} of ${rows} were sealed`],
    };
  },
};

/** Stores both parts. What is stored is collected before the sealing is measured, as a large heap costs a process time. */
async function storeAll({ databaseUrl, postgresPid }: Services, rows: number, batch: number) {
  const endMs = Date.now();
  const load = { ...MONTH_LOAD, batch, transactions: 2 * rows, days: DAYS, endMs };
  const made = [...madeBatches(load)];
  const scoresOf = createScores();
  for (const one of made) scoresOf(one);
  const store = async (batches: readonly MadeBatch[], added: readonly ScoredStatement[]) => {
    // A connection has one text for the name of a statement.
    await using pool = openMarketPool(databaseUrl);
    await ensurePartitions(pool, [monthOf(endMs), monthOf(endMs) - 1]);
    const before = treeCpuSeconds(postgresPid);
    const lineage = { scoredAtMs: Date.now(), featureSchema: FEATURE_SCHEMA };
    for (const one of batches) await insertScores(pool, scoresOf(one), lineage, added);
    return (1e6 * (treeCpuSeconds(postgresPid) - before)) / (batches.length * batch);
  };
  const plainUs = await store(made.slice(0, made.length / 2), []);
  const namedUs = await store(made.slice(made.length / 2), [addUnsealed]);
  return { plainUs, namedUs };
}

async function sealAll(database: Database, cpu: () => number, signal: AbortSignal) {
  const [began, postgres, own] = [performance.now(), cpu(), process.cpuUsage()];
  let scores = 0;
  let known: Awaited<ReturnType<typeof sealStep>>['edge'] | undefined;
  for (;;) {
    signal.throwIfAborted();
    const step = await sealStep(database, 'bench/market', known, Date.now());
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
