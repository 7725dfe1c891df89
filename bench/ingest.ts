/**
 * How many transactions a second the API accepts when it is all that runs: committed in Postgres and
 * appended to the streams, with no worker to share the machine with.
 */
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import type {
  Bench,
  BenchContext,
  BenchReport,
  BenchTable,
  Ceiling,
  Settings,
} from './support/bench.ts';
import { copyCeiling } from './support/ceilings.ts';
import { cpuTable, readCpu } from './support/cpu-by-role.ts';
import type { GeneratorResult } from './support/generator.ts';
import {
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  loadName,
  MONTH_LOAD,
  readLoad,
  readSettings,
  startLoad,
} from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory } from './support/load-run.ts';
import { measurePartyLimits } from './support/party-limits.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';

const USAGE = `--batch N[,N]      transactions a request, each a run of its own (1000,100,1)
--party-limits     what limits of each account, device and address cost: with and without them, in turn
--rounds N         of each, with --party-limits (7)
${LOAD_USAGE}
By default 300,000 transactions; 200,000 in batches of 100; 50,000 singly over 64 connections. A round of
--party-limits has an eighth of them.`;

/** Part of a load that a round posts: all rounds together post nearly twice the load. */
const ROUND_PART = 1 / 8;

function loadByDefault(batch: number): Load {
  if (batch >= 1000) return { ...MONTH_LOAD, batch, transactions: 300_000 };
  if (batch > 1) return { ...MONTH_LOAD, batch, transactions: 200_000 };
  return { ...MONTH_LOAD, batch, transactions: 50_000, connections: 64 };
}

type Posting = {
  readonly posted: GeneratorResult;
  readonly seconds: number;
  readonly cpu: BenchTable;
};

async function post(
  pipeline: Pipeline,
  load: Load,
  { signal, output }: BenchContext,
): Promise<Posting> {
  output.note('preparing requests');
  using generator = await startLoad(pipeline, load, signal);
  output.note(`posting ${generator.requests} requests`);
  const before = readCpu(pipeline, generator);
  const posted = await generator.go();
  const after = readCpu(pipeline, generator);
  const seconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  const rows = cpuTable(before, after, { seconds, transactions: load.transactions });
  const cpu = { title: 'processor time by role', rows };
  return { posted, seconds, cpu };
}

/** The API of the bare pipeline, which also runs alone. */
async function bareCeiling(load: Load, context: BenchContext): Promise<Ceiling> {
  const { output } = context;
  output.note('the bare API, with the same load');
  await using pipeline = await startPipeline(
    { workers: 0, settings: {}, program: 'bare' },
    context,
  );
  const { posted, seconds } = await post(pipeline, load, context);
  return {
    name: 'the bare API with the same load: no checks',
    perSecond: posted.accepted / seconds,
  };
}

async function measure(
  load: Load,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  await using pipeline = await startPipeline({ workers: 0, settings }, context);
  const { services, folder } = pipeline;
  const { posted, seconds, cpu } = await post(pipeline, load, context);
  const memory = await readMemory(pipeline);
  const { rows } = await services.database.query<{ stored: number }>(
    'select count(*)::int as stored from transactions',
  );
  const stored = rows[0]?.stored ?? 0;
  const missing = posted.accepted - stored;
  return {
    caseName: loadName(load),
    inputs: { ...load, ...services.settings },
    settings,
    versions: services.versions,
    perSecond: posted.accepted / seconds,
    figures: {
      accepted_per_second: posted.accepted / seconds,
      seconds,
      ...{ accepted: posted.accepted, stored, duplicates: posted.duplicates },
      resent: posted.resent,
      http_p50_ms: posted.latencyMs.p50,
      http_p95_ms: posted.latencyMs.p95,
      http_p99_ms: posted.latencyMs.p99,
      http_max_ms: posted.latencyMs.max,
    },
    ceilings: [
      await copyCeiling(services.database, `${folder}/ceiling`),
      await bareCeiling(load, context),
    ],
    tables: [cpu, memoryTable(memory)],
    breaches: [
      ...(missing === 0 ? [] : [`accepted but not in Postgres: ${missing}`]),
      ...memoryBreaches(memory),
    ],
  };
}

export const bench: Bench = {
  name: 'ingest',
  question: 'How many transactions a second does the API alone accept?',
  usage: USAGE,
  run: async function* (args, context) {
    const { values } = parseArguments(args, {
      ...LOAD_OPTIONS,
      batch: { type: 'string', default: '1000,100,1' },
      'party-limits': { type: 'boolean', default: false },
      rounds: { type: 'string' },
    });
    const settings = readSettings(values.set);
    const rounds = integerOption('--rounds', values.rounds, { min: 1, max: 100 }, 7);
    for (const batch of integerList('--batch', values.batch, 1, 1000)) {
      const whole = loadByDefault(batch);
      if (values['party-limits']) {
        const part = { ...whole, transactions: Math.ceil(whole.transactions * ROUND_PART) };
        const load = readLoad(values, part);
        yield await measurePartyLimits({ load, rounds, settings }, context);
      } else {
        yield await measure(readLoad(values, whole), settings, context);
      }
    }
  },
};
