/** The cost of an idle engine: processor time by role, and the number of calls to the stores. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { readEngineCpu } from './support/cpu-by-role.ts';
import { LOAD_OPTIONS, readSettings } from './support/load.ts';
import { MARKET } from './support/market.ts';
import { readOptions, TEXT } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';

const USAGE = `--corridors N      of the market (50)
--workers N        (1)
--seconds N        measured (30), after as many that are not
--set NAME=VALUE   a setting of the API and the workers, printed with the report; may be repeated`;

/** Processor time of all processes and stores, divided by the elapsed time. */
const CORES_MAX = 0.05;

type Asked = {
  readonly profileFolder: string | undefined;
  readonly corridors: number;
  readonly workers: number;
  readonly seconds: number;
};

/** Pairs of made-up countries, which no list of countries has. */
const madeCorridors = (count: number) =>
  Array.from({ length: count }, (_, nth) => {
    const letters = String.fromCharCode(65 + Math.floor(nth / 26), 65 + (nth % 26));
    return `X${letters[0]}-X${letters[1]}`;
  });

async function measure(
  { corridors, workers, seconds, profileFolder }: Asked,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  const named = { ...settings, RISK_CORRIDORS: madeCorridors(corridors).join(',') };
  await using pipeline = await startPipeline(
    {
      ...{ workers, settings: named, profileFolder },
      async prepare({ database }) {
        const made =
          'insert into shared.corridors (corridor, market) select unnest($1::text[]), $2';
        await database.query('delete from shared.corridors');
        await database.query(made, [madeCorridors(corridors), MARKET]);
      },
    },
    context,
  );
  await delay(seconds * 1000, undefined, { signal: context.signal });
  const before = await look(pipeline);
  await delay(seconds * 1000, undefined, { signal: context.signal });
  const after = await look(pipeline);
  const passed = (after.atMs - before.atMs) / 1000;
  const cores = Object.fromEntries(
    Object.entries(after.cpu).map(([role, spent]) => [
      `${role}_cores`,
      (spent - (before.cpu[role as keyof typeof before.cpu] ?? 0)) / passed,
    ]),
  );
  const together = Object.values(cores).reduce((sum, value) => sum + value, 0);
  const calls = [...after.calls]
    .map(([command, count]) => ({
      command,
      a_second: (count - (before.calls.get(command) ?? 0)) / passed,
    }))
    .filter(({ a_second }) => a_second >= 0.1)
    .sort((left, right) => right.a_second - left.a_second);
  return {
    caseName: `${corridors} corridors`,
    inputs: { corridors, workers, seconds, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond: 0,
    figures: {
      cores: together,
      ...cores,
      postgres_transactions_a_second: (after.commits - before.commits) / passed,
    },
    ceilings: [],
    tables: [
      {
        title: 'commands of Redis',
        rows: calls.map(({ command, a_second }) => ({ command, a_second: a_second.toFixed(1) })),
      },
    ],
    breaches:
      together > CORES_MAX ? [`${together.toFixed(3)} of a core; ${CORES_MAX} is the bound`] : [],
  };
}

async function look(pipeline: Pipeline) {
  const { database, redis } = pipeline.services;
  const { rows } = await database.query<{ commits: string }>(
    'select sum(xact_commit + xact_rollback) as commits from pg_stat_database',
  );
  return {
    atMs: performance.now(),
    cpu: readEngineCpu(pipeline),
    calls: await callsOf(redis),
    commits: Number(rows[0]?.commits),
  };
}

async function callsOf(redis: Redis): Promise<Map<string, number>> {
  const text = await redis.info('commandstats');
  return new Map(
    [...text.matchAll(/cmdstat_(\S+):calls=(\d+)/g)].map(([, command = '', count]) => [
      command,
      Number(count),
    ]),
  );
}

export const bench: Bench = {
  name: 'idle',
  question: 'What does an engine cost that has nothing to do?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      corridors: { or: 50, min: 1, max: 600 },
      workers: { or: 1, min: 1, max: 50 },
      seconds: { or: 30, min: 1, max: 3600 },
    };
    const { values, numbers } = readOptions(args, wholes, { set: LOAD_OPTIONS.set, profile: TEXT });
    yield await measure(
      { ...numbers, profileFolder: values.profile },
      readSettings(values.set),
      context,
    );
  },
};
