/**
 * Processor time of an engine that nothing is sent to, by the number of its corridors: what duties, blocking reads and heartbeats
 * cost. Each number of corridors has an engine of its own.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { readEngineCpu } from './support/cpu-by-role.ts';
import { readOptions } from './support/options.ts';
import { startPipeline } from './support/pipeline.ts';
import type { Services } from './support/services.ts';

const USAGE = `--corridors N[,N]  each an engine of its own (1,50)
--workers N        (1)
--seconds N        measured, after ten that are not (20)`;

const SETTLING_MS = 10_000;
const LETTERS = 26;

/** Corridors from AA-BA on, in place of those that the engine comes with. */
async function setCorridors({ database }: Services, corridors: number): Promise<void> {
  await database.query('delete from shared.corridors');
  await database.query(
    `insert into shared.corridors (corridor, market)
     select format('A%s-B%s', chr(65 + n / ${LETTERS}), chr(65 + n % ${LETTERS})), current_schema()
       from generate_series(0, $1::int - 1) n`,
    [corridors],
  );
}

async function measure(
  options: { readonly corridors: number; readonly workers: number; readonly seconds: number },
  context: BenchContext,
): Promise<BenchReport> {
  const { corridors, workers, seconds } = options;
  await using pipeline = await startPipeline(
    { workers, settings: {}, prepare: (services) => setCorridors(services, corridors) },
    context,
  );
  await wait(SETTLING_MS, undefined, { signal: context.signal });
  const before = readEngineCpu(pipeline);
  await wait(seconds * 1000, undefined, { signal: context.signal });
  const after = readEngineCpu(pipeline);
  const roles = ['api', 'workers', 'postgres', 'redis'] as const;
  const rows = roles.map((role) => ({
    role,
    ms_a_second: Number(((1000 * (after[role] - before[role])) / seconds).toFixed(1)),
  }));
  return {
    caseName: `${corridors} corridors`,
    inputs: { ...options, ...pipeline.services.settings },
    settings: {},
    versions: pipeline.services.versions,
    perSecond: 0,
    figures: { cpu_ms_a_second: rows.reduce((sum, row) => sum + row.ms_a_second, 0) },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows }],
    breaches: [],
  };
}

export const bench: Bench = {
  name: 'idle',
  question: 'What does an engine cost that nothing is sent to?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      corridors: { or: [1, 50], max: LETTERS * LETTERS },
      workers: { or: 1, max: 600 },
      seconds: { or: 20, max: 600 },
    };
    const { corridors, workers, seconds } = readOptions(args, wholes, {}).numbers;
    let first: number | undefined;
    for (const one of corridors) {
      const report = await measure({ corridors: one, workers, seconds }, context);
      const cost = report.figures['cpu_ms_a_second'] ?? 0;
      first ??= cost;
      yield { ...report, figures: { ...report.figures, of_the_first: cost / first } };
    }
  },
};
