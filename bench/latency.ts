/**
 * How long after it was due is a transaction scored, at an offered rate in batches? From the moment its
 * request was due by the open loop until Redis appended its `transaction.scored`, which is after the score
 * was committed: Redis' clock in the event's id, the generator's clock for the rest, both this machine's.
 */
import type { Redis } from 'ioredis';
import { parseArguments } from '../src/cli/command.ts';
import { streamsOf } from '../src/stream/keys.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import type { GeneratorResult } from './support/generator.ts';
import {
  batchSettings,
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
  USUAL_LOAD,
} from './support/load.ts';
import { memoryBreaches, memoryTable, runLoad, warmUp } from './support/load-run.ts';
import { MARKET } from './support/market.ts';
import { percentiles } from './support/percentiles.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { createSchedule } from './support/schedule.ts';
import type { Services } from './support/services.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--rates N[,N]      transactions a second, each a run of its own (5000)
--batch N          transactions a request (100)
--seconds N        of each run (30)
${LOAD_USAGE}
--transactions and --rate are what --rates and --seconds make them. 16 connections by default.`;

/** Events kept a stream: those of a whole run have to be there at its end. */
const EVENTS_MAX = 10_000_000;
const PAGE_ENTRIES = 10_000;

type Accepted = { readonly dueMs: number; readonly receivedMs: number };

/** When each transaction was due and received. Its key ends in its place in the traffic. */
async function readAccepted(
  { database }: Services,
  { batch, rate }: Load,
  { firstRequestMs }: GeneratorResult,
): Promise<Map<string, Accepted>> {
  const { rows } = await database.query<{ id: string; key: string; received: number }>(
    `select transaction_id as id, idempotency_key as key,
            extract(epoch from received_at)::float8 * 1000 as received
       from idempotency_keys
      where received_at >= to_timestamp($1::float8 / 1000)`,
    [firstRequestMs],
  );
  const schedule = createSchedule(firstRequestMs, rate / batch);
  return new Map(
    rows.map(({ id, key, received }) => {
      const index = Number(key.slice(key.lastIndexOf('_') + 1));
      const dueMs = schedule.dueAt(Math.floor(index / batch));
      return [id, { dueMs, receivedMs: Math.round(received) }];
    }),
  );
}

/** When each transaction's event was appended, epoch milliseconds. */
async function readPublished(
  redis: Redis,
  corridors: readonly string[],
): Promise<Map<string, number>> {
  const published = new Map<string, number>();
  for (const { scored } of streamsOf(MARKET, corridors, 1)) {
    let from = '-';
    for (;;) {
      const page = await redis.xrange(scored, from, '+', 'COUNT', PAGE_ENTRIES);
      for (const [id, fields] of page) {
        const at = fields.indexOf('transaction_id');
        published.set(fields[at + 1] ?? '', Number(id.split('-')[0]));
      }
      if (page.length < PAGE_ENTRIES) break;
      from = `(${page.at(-1)?.[0] ?? ''}`;
    }
  }
  return published;
}

async function readLatencies({ services }: Pipeline, load: Load, posted: GeneratorResult) {
  const accepted = await readAccepted(services, load, posted);
  const { rows } = await services.database.query<{ corridor: string }>(
    'select corridor from shared.corridors',
  );
  const corridors = rows.map(({ corridor }) => corridor);
  const published = await readPublished(services.redis, corridors);
  const fromDue: number[] = [];
  const fromReceived: number[] = [];
  for (const [id, { dueMs, receivedMs }] of accepted) {
    const at = published.get(id);
    if (at === undefined) continue;
    fromDue.push(at - dueMs);
    fromReceived.push(at - receivedMs);
  }
  return {
    unpublished: accepted.size - fromDue.length,
    fromDue: percentiles(fromDue),
    fromReceived: percentiles(fromReceived),
  };
}

async function measure(
  load: Load,
  environment: Readonly<Record<string, string>>,
  context: BenchContext,
): Promise<BenchReport> {
  await using pipeline = await startPipeline({ workers: 1, environment }, context);
  await warmUp(pipeline, load, context);
  const run = await runLoad(pipeline, load, context);
  const { lost, doubled } = await readStored(pipeline.services.database);
  const { fromDue, fromReceived, unpublished } = await readLatencies(pipeline, load, run.posted);
  return {
    caseName: `${load.rate} transactions a second in batches of ${load.batch}`,
    inputs: { ...load, workers: 1, ...environment, ...pipeline.services.settings },
    versions: pipeline.services.versions,
    perSecond: load.transactions / run.seconds,
    figures: {
      scored_per_second: load.transactions / run.seconds,
      due_to_scored_p50_ms: fromDue.p50,
      due_to_scored_p95_ms: fromDue.p95,
      due_to_scored_p99_ms: fromDue.p99,
      due_to_scored_max_ms: fromDue.max,
      accepted_to_scored_p50_ms: fromReceived.p50,
      accepted_to_scored_p95_ms: fromReceived.p95,
      accepted_to_scored_p99_ms: fromReceived.p99,
      accepted_to_scored_max_ms: fromReceived.max,
      http_p50_ms: run.posted.latencyMs.p50,
      http_p99_ms: run.posted.latencyMs.p99,
      waited_for_connection_p99_ms: run.posted.waitedMs.p99,
    },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows: run.cpu }, memoryTable(run.memory)],
    breaches: [
      ...(unpublished === 0 ? [] : [`scored without an event: ${unpublished}`]),
      ...storedBreaches({ lost, doubled }),
      ...memoryBreaches(run.memory),
    ],
  };
}

export const bench: Bench = {
  name: 'latency',
  question: 'How long after it was due is a transaction scored?',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...LOAD_OPTIONS,
      rates: { ...text, default: '5000' },
      batch: { ...text, default: '100' },
      seconds: { ...text, default: '30' },
    });
    const [seconds = 0] = integerList('--seconds', values.seconds, 1, 3600);
    const [batch = 0] = integerList('--batch', values.batch, 1, 1000);
    for (const rate of integerList('--rates', values.rates, 1, 1_000_000)) {
      const offered = { rate, batch, transactions: rate * seconds };
      const load = { ...readLoad(values, { ...USUAL_LOAD, connections: 16 }), ...offered };
      const settings = { ...batchSettings(batch), RISK_SCORED_EVENTS_MAX: String(EVENTS_MAX) };
      yield await measure(load, readSettings(values.set, settings), context);
    }
  },
};
