/**
 * How long after it was due is a transaction scored, at an offered rate in batches? From the moment its
 * request was due by the open loop until Redis appended its `transaction.scored`, which is after the score
 * was committed: Redis' clock in the event's id, the generator's clock for the rest, both this machine's.
 */
import { UsageError } from '../src/kit/command/command.ts';
import { BACKLOG_CORRIDOR, postBacklog } from './support/backlog.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { readLatencies } from './support/due-to-scored.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
} from './support/load.ts';
import { memoryBreaches, memoryTable, runLoad, warmUp } from './support/load-run.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { followPublished } from './support/published.ts';
import { readScored, untilScored } from './support/scored-counter.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--rates N[,N]      transactions a second, each a run of its own (5000)
--batch N          transactions a request (100)
--seconds N        of each run (15)
--workers N        worker processes (1)
--backlog N        transactions of one corridor that wait when the measured ones of the other corridors begin (0)
${LOAD_USAGE}
--transactions and --rate are what --rates and --seconds make them. 16 connections and 5 s unmeasured by default.`;

const UNMEASURED_SECONDS = 5;
const SECONDS = 15;

/** When the last of the backlog was scored, epoch milliseconds. */
async function readBacklogEnd({ services }: Pipeline, firstRequestMs: number): Promise<number> {
  const { rows } = await services.database.query<{ end: number }>(
    `select extract(epoch from max(scored_at))::float8 * 1000 as end
       from scores where corridor = $1 and created_at < to_timestamp($2::float8 / 1000)`,
    [BACKLOG_CORRIDOR, firstRequestMs],
  );
  return rows[0]?.end ?? firstRequestMs;
}

async function measure(
  load: Load,
  { workers, backlog, settings }: { workers: number; backlog: number; settings: Settings },
  context: BenchContext,
): Promise<BenchReport> {
  await using pipeline = await startPipeline({ workers, settings }, context);
  await warmUp(pipeline, load, context);
  const scoredBefore = await readScored(pipeline.workers, context.signal);
  const followed = await followPublished(pipeline.services);
  if (backlog > 0) await postBacklog(pipeline, load, backlog, context);
  const run = await runLoad(pipeline, load, context);
  const transactions = () => backlog + load.transactions;
  const { finishedMs } = await untilScored(
    pipeline.workers,
    { scoredBefore, transactions },
    context.signal,
  );
  const { lost, doubled } = await readStored(pipeline.services.database);
  const firstMs = run.posted.firstRequestMs;
  const perSecond = transactions() / ((finishedMs - firstMs) / 1000);
  const lastMs = backlog > 0 ? await readBacklogEnd(pipeline, firstMs) : finishedMs;
  const besides = backlog > 0 ? BACKLOG_CORRIDOR : '';
  const published = await followed.end();
  const { fromDue, fromReceived, unpublished } = await readLatencies(pipeline, published, {
    firstMs,
    lastMs,
    besides,
  });
  return {
    caseName: `${load.rate} transactions a second in batches of ${load.batch}`,
    inputs: { ...load, workers, backlog, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond,
    figures: {
      scored_per_second: perSecond,
      ...(backlog > 0 ? { backlog_seconds: (lastMs - firstMs) / 1000 } : {}),
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
    tables: [
      // The table would tell of the backlog, too.
      ...(backlog > 0 ? [] : [{ title: 'processor time by role', rows: run.cpu }]),
      memoryTable(run.memory),
    ],
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
    const { values, numbers } = readOptions(
      args,
      {
        rates: { or: [5000], max: 1_000_000 },
        batch: { or: 100, max: 1000 },
        seconds: { or: SECONDS, max: 3600 },
        workers: { or: 1, max: 64 },
        backlog: { or: 0, min: 0, max: 1_000_000 },
      },
      LOAD_OPTIONS,
    );
    const { rates, batch, seconds, ...own } = numbers;
    for (const rate of rates) {
      const unmeasured = rate * UNMEASURED_SECONDS;
      const asked = readLoad(values, { ...LIVE_LOAD, connections: 16, unmeasured });
      const load = { ...asked, rate, batch, live: true, transactions: rate * seconds };
      if (own.backlog > 0 && load.corridors === 1)
        throw new UsageError('--backlog needs other corridors beside its own');
      yield await measure(load, { ...own, settings: readSettings(values.set) }, context);
    }
  },
};
