/** The page about size: the answer, what it rests on, and how it moves; with plots beside it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Bar, barChart, lineChart } from '../support/svg.ts';
import type { Compared, Errors } from './compare.ts';
import type { Observed } from './observe.ts';
import type { Model } from './plant.ts';
import { DEMAND, type Demand, limitsOf, type Size, sizeOf, sweep } from './size.ts';

type Judged = {
  readonly model: Model;
  readonly observed: Observed;
  readonly judged: readonly Compared[];
  readonly errors: Errors;
};

const SHARES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75] as const;
const VARIATIONS: readonly (readonly [string, Partial<Demand>])[] = [
  ['as asked', {}],
  ['posts of 100 transactions', { batch: 100 }],
  ['half of the requests read', { readShare: 0.5 }],
  ['memory answers half of the reads', { readsMissed: 0.5 }],
  ['ten times as long to another machine and to disk', { hopMs: 2.5, flushMs: 10 }],
  ['parts may be 80 % busy', { utilisation: 0.8 }],
];

const whole = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 0 });
const percent = (share: number) => (100 * share).toFixed(1);
const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** @returns the paths of what was written */
export async function writeReport(
  path: string,
  { model, observed, judged, errors }: Judged,
): Promise<string[]> {
  const walBytes = walOf(observed);
  const sizes = VARIATIONS.map(([name, own]) => {
    const demand = { ...DEMAND, ...own };
    return { name, size: sizeOf(model, demand, walBytes) };
  });
  const [{ size }] = sizes as [{ name: string; size: Size }];
  const limits = limitsOf(size, DEMAND, walBytes);
  const curve = sweep(model, DEMAND, size, SHARES);
  const { cpu, cores } = observed.machine;
  const note = `${observed.measured_at.slice(0, 10)}, commit ${observed.commit}, calibrated on ${cores} cores of ${cpu}`;
  const plots = {
    'size-judged.svg': barChart(
      { title: 'p50 from due to scored, ms: seen, and foretold', bars: barsOf(judged) },
      note,
    ),
    'size-load.svg': lineChart(
      {
        title: 'p99 by requests a second of the same processes, ms',
        x: 'requests a second',
        isEven: true,
        lines: [
          { name: 'reads', points: curve.map((one) => [one.requests, one.reads.p99]) },
          { name: 'posts', points: curve.map((one) => [one.requests, one.posts.p99]) },
          { name: 'due to scored', points: curve.map((one) => [one.requests, one.scored.p99]) },
        ],
      },
      note,
    ),
    'size-limits.svg': barChart(
      {
        title: 'Posts a second at which one of each part is full, with nine reads each',
        bars: limits.map(({ part, perSecond, isMultiplied }) => ({
          ...{ label: part, value: perSecond, colour: isMultiplied ? 0 : 1 },
        })),
      },
      note,
    ),
  };
  const folder = join(dirname(path), 'plots');
  await mkdir(folder, { recursive: true });
  for (const [name, svg] of Object.entries(plots)) await writeFile(join(folder, name), svg);
  await writeFile(path, page({ observed, errors, sizes, limits, walBytes }));
  return [path, ...Object.keys(plots).map((name) => join(folder, name))];
}

/** Bytes of Postgres' log a transaction, of all runs together. */
function walOf({ runs }: Observed): number {
  const posted = runs.filter(({ scoredTransactions }) => scoredTransactions > 0);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return sum(posted.map((run) => run.walBytes)) / sum(posted.map((run) => run.scoredTransactions));
}

function barsOf(judged: readonly Compared[]): Bar[] {
  return judged
    .filter(({ what }) => what === 'scored p50, ms')
    .flatMap(({ run, seen, foretold }) => [
      { label: run, value: seen, colour: 0 },
      { label: 'foretold', value: foretold, colour: 1 },
    ]);
}

type Page = {
  readonly observed: Observed;
  readonly errors: Errors;
  readonly sizes: readonly { readonly name: string; readonly size: Size }[];
  readonly limits: ReturnType<typeof limitsOf>;
  readonly walBytes: number;
};

function page({ observed, errors, sizes, limits, walBytes }: Page): string {
  const { requests, readShare, corridors, users, utilisation, postgresCores } = DEMAND;
  const size = sizes[0]?.size as Size;
  const rows = sizes.map(({ name, size: one }) => [
    name,
    [one.apis, one.workers, one.markets, one.markets * one.replicas].join(', '),
    [one.reads.p99, one.scored.p99].map((ms) => ms.toFixed(0)).join(', '),
  ]);
  const full = (isMultiplied: boolean) =>
    limits
      .filter((limit) => limit.isMultiplied === isMultiplied)
      .map(({ part, perSecond }) => `${part} at ${whole(perSecond)}`)
      .join(', ');
  const judges = observed.runs.filter(({ use }) => use === 'compares').length;
  return `# Size

A model of discrete events (\`bench/model\`) foretells what no machine here can make: ${whole(requests)} requests a second, ${whole(100 * readShare)} % of them reads, in
${corridors} corridors with ${whole(users / 1e6)} million users. This command writes the page:

\`\`\`sh
npm run bench -- model --observed bench/model/observed.json --report docs/size.md
\`\`\`

${table(['changed', 'APIs, workers, primaries, replicas', 'p99 of reads, and from due to scored, ms'], rows)}

Each API, worker and Redis has one thread, and each Postgres ${postgresCores} processors, all at most ${whole(100 * utilisation)} % busy. Each primary is a [market](markets.md) with a Redis of
its own; all Redis together have ${whole(size.redisGb)} GB of \`maxmemory\`. All primaries write ${whole(size.walMbPerSecond)} MB of log a second.

![p99 by load](plots/size-load.svg)

**Limits**, in posts a second with nine reads each. Add processes for ${full(true)}. Add a market for ${full(false)}.

![Posts a second at which each part is full](plots/size-limits.svg)

## Trust

Six loads calibrated the model, and ${judges} others of the same hour [judged it](plots/size-judged.svg). Median errors: ${percent(errors.p50)} % of p50, ${percent(errors.p99)} % of p99, ${percent(errors.processors)} % of
processor time, ${percent(errors.rate)} % of the rate at the knee, ${percent(errors.batches)} % of the number of batches; ${percent(errors.all)} % of all figures.

Assumed: ${whole(100 * DEMAND.readsMissed)} % of the reads miss the memory of an API, and replicas answer ${whole(100 * DEMAND.replicaShare)} % of those; ${DEMAND.hopMs} ms to another machine and ${DEMAND.flushMs} ms to
disk; ${DEMAND.coldWorkerUs} µs of a worker and ${DEMAND.coldRedisUs} µs of Redis to read a profile; 25 transactions an account, ${whole(DEMAND.merchants)} merchants; ${whole(walBytes)} bytes of log a transaction;
even load; processors as slow as busy ones here. Left out: checkpoints, hot accounts, lost machines.
`;
}
