/** Posts in an open loop alone and beside other work, in turn, so that what else the machine does falls on all of them. */
import type { BenchContext, BenchReport, Settings } from './bench.ts';
import type { Load } from './load.ts';
import { type LoadRun, memoryBreaches, memoryTable, runLoad } from './load-run.ts';
import type { Pipeline } from './pipeline.ts';
import { ratioOf } from './rank-interval.ts';
import { spreadOf } from './spread.ts';

/** p99 of posts beside the work, by that of posts alone. */
const P99_RATIO_MAX = 1.5;
/** At 2,000 transactions a second these are 100 posts, so that the p99 of 20 s is that of 20 posts. */
export const POSTS = { batch: 20, connections: 16 } as const;

export type OtherWork = {
  readonly name: string;
  /** Works until the signal. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** Rows that it has worked on so far. */
  readonly rows: () => Promise<number>;
};

export type Rounds = {
  readonly load: Load;
  readonly rounds: number;
  readonly settings: Settings;
  /** Rows in the tables. */
  readonly rows: number;
  /** False where the run only tries the bench out. */
  readonly isJudged: boolean;
};

type Run = LoadRun & { readonly rows: number };

async function postBeside(
  pipeline: Pipeline,
  load: Load,
  other: OtherWork | undefined,
  context: BenchContext,
): Promise<Run> {
  if (other === undefined) return { ...(await runLoad(pipeline, load, context)), rows: 0 };
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const working = other.work(signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  try {
    const before = await other.rows();
    const run = await runLoad(pipeline, load, context);
    return { ...run, rows: (await other.rows()) - before };
  } finally {
    stop.abort();
    await working;
  }
}

/** @returns a report for each kind of other work */
export async function measureBeside(
  pipeline: Pipeline,
  others: readonly OtherWork[],
  { load, rounds, settings, rows, isJudged }: Rounds,
  context: BenchContext,
): Promise<BenchReport[]> {
  const arms = [undefined, ...others];
  const runs = new Map(arms.map((arm): [typeof arm, Run[]] => [arm, []]));
  for (let round = 0; round < rounds; round++) {
    for (const arm of arms) {
      const name = arm?.name ?? 'alone';
      context.output.note(`round ${round + 1} of ${rounds}, ${name}`);
      const named = { ...load, seed: `${name}-${round}` };
      runs.get(arm)?.push(await postBeside(pipeline, named, arm, context));
    }
  }
  const of = (arm: OtherWork | undefined, percentile: 'p50' | 'p99') =>
    (runs.get(arm) ?? []).map(({ posted }) => posted.latencyMs[percentile]);
  const median = (...asked: Parameters<typeof of>) => spreadOf(of(...asked)).median;
  const idle = (arm: OtherWork | undefined) =>
    100 * spreadOf((runs.get(arm) ?? []).map(({ idleShare }) => idleShare)).median;
  return others.map((other) => {
    const { ratio, low, high } = ratioOf(of(undefined, 'p99'), of(other, 'p99'));
    const ofOther = runs.get(other) ?? [];
    const memory = ofOther.at(-1)?.memory ?? [];
    const isBreach = isJudged && ratio > P99_RATIO_MAX;
    return {
      caseName: `posts beside ${other.name}`,
      inputs: { rows, ...load, rounds, ...pipeline.services.settings },
      settings,
      versions: pipeline.services.versions,
      perSecond: load.rate,
      figures: {
        rows_per_second: spreadOf(ofOther.map((run) => run.rows / run.seconds)).median,
        http_p50_alone_ms: median(undefined, 'p50'),
        http_p50_beside_ms: median(other, 'p50'),
        http_p99_alone_ms: median(undefined, 'p99'),
        http_p99_beside_ms: median(other, 'p99'),
        http_p99_ratio: ratio,
        http_p99_ratio_from: low,
        http_p99_ratio_to: high,
        idle_percent_alone: idle(undefined),
        idle_percent_beside: idle(other),
      },
      ceilings: [],
      tables: [
        {
          title: 'p99 by round, ms',
          rows: Array.from({ length: rounds }, (_, at) => ({
            round: String(at + 1),
            alone: (of(undefined, 'p99')[at] ?? Number.NaN).toFixed(1),
            beside: (of(other, 'p99')[at] ?? Number.NaN).toFixed(1),
          })),
        },
        cpuTitled('alone', runs.get(undefined)),
        cpuTitled('beside', ofOther),
        memoryTable(memory),
      ],
      breaches: [
        ...(isBreach ? [`p99 is ${ratio.toFixed(2)} times as long, above ${P99_RATIO_MAX}`] : []),
        ...memoryBreaches(memory),
      ],
    };
  });
}

const cpuTitled = (arm: string, runs: readonly LoadRun[] | undefined) => ({
  title: `processor time by role, last round ${arm}`,
  rows: runs?.at(-1)?.cpu ?? [],
});
