/** The plots of docs/performance.md, drawn from the files that `--json` wrote: `npm run bench -- --plots FOLDER FILE …`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../src/kit/command/command.ts';
import type { BenchReport } from './bench.ts';
import { loadName } from './load.ts';
import { barChart, type Line, lineChart } from './svg.ts';

export const PLOTS_USAGE = `npm run bench -- --plots FOLDER FILE [FILE …]

Draws what the files of --json tell of cliff, growth, decide, rivals and supervise: FOLDER/cliff.svg and so on.`;

/** A file of `--json`, as far as plots need it. */
export type RunFile = {
  readonly measured_at: string;
  readonly commit: string;
  readonly machine: { readonly cpu: string; readonly cores: number };
  readonly results: readonly Result[];
};
type Result = { readonly bench: string } & Pick<BenchReport, 'caseName' | 'inputs' | 'figures'> &
  Partial<Pick<BenchReport, 'tables'>>;

const figureOf = ({ figures }: Result, name: string) => figures[name] ?? Number.NaN;
const inputOf = ({ inputs }: Result, name: string) => Number(inputs[name] ?? Number.NaN);

function line(
  name: string,
  results: readonly Result[],
  x: (result: Result) => number,
  y: string,
): Line {
  const points = results.map((result) => [x(result), figureOf(result, y)] as const);
  return {
    name,
    points: points.filter(([at, value]) => at > 0 && value > 0).toSorted(([a], [b]) => a - b),
  };
}

/** By bench: draws its results. */
const PLOTS: Readonly<Record<string, (results: readonly Result[], note: string) => string>> = {
  cliff: (results, note) => {
    const accounts = (result: Result) => inputOf(result, 'accounts');
    const isEmpty = ({ caseName }: Result) => caseName === 'snapshots empty';
    const full = results.filter((result) => !isEmpty(result));
    const [mean, worst] = ['end_to_end_per_second', 'worst_window_per_second'];
    return lineChart(
      {
        title: 'Scored a second by the number of accounts in use',
        x: 'accounts in use',
        lines: [
          line('with snapshots', full, accounts, mean),
          line('their worst ten seconds', full, accounts, worst),
          line('without snapshots', results.filter(isEmpty), accounts, mean),
        ],
      },
      note,
    );
  },
  growth: (results, note) => {
    const byPast = Map.groupBy(results, (result) => inputOf(result, 'rows_each_account'));
    const lines = [...byPast].map(([each, own]) =>
      line(
        `${each} rows an account`,
        own,
        (result) => inputOf(result, 'rows'),
        'cpu_us_per_transaction',
      ),
    );
    return lineChart(
      {
        title: 'Processor time of a transaction by the size of the table, µs',
        x: 'rows in the table before',
        lines: lines.filter(({ points }) => points.length > 0),
      },
      note,
    );
  },
  decide: (results, note) => {
    const bars = results.flatMap((result, colour) =>
      ['p50', 'p95', 'p99'].map((rank) => ({
        label: `${result.caseName}, ${rank}`,
        value: figureOf(result, `decided_${rank}_ms`),
        colour,
      })),
    );
    return barChart({ title: 'How long a client waits for a decision, ms', bars }, note);
  },
  rivals: (results, note) => {
    const cost = (result: Result) => figureOf(result, 'cpu_us_per_transaction_median');
    const bars = results
      .toSorted((a, b) => inputOf(a, 'batch') - inputOf(b, 'batch') || cost(a) - cost(b))
      .map((result) => ({
        label: `${loadName({ batch: inputOf(result, 'batch') })}: ${result.caseName}`,
        value: cost(result),
        colour: result.caseName === 'engine' ? 0 : 1,
      }));
    return barChart({ title: 'Processor time of a transaction, µs (less is better)', bars }, note);
  },
  supervise: ([result], note) => {
    const rows = result?.tables?.[0]?.rows ?? [];
    const over = (name: string, column: string, unit: number): Line => ({
      name,
      points: rows.map((row) => [Number(row['second']), Number(row[column]) / unit] as const),
    });
    return lineChart(
      {
        title: 'Supervised workers through a spike',
        x: 'seconds',
        isEven: true,
        lines: [
          over('workers', 'workers', 1),
          over('waiting, thousands', 'backlog', 1000),
          over('offered, thousands/s', 'offered', 1000),
        ],
      },
      note,
    );
  },
};

/** By name of the bench; none where no file has results of it. */
export function drawPlots(files: readonly RunFile[]): ReadonlyMap<string, string> {
  const plots = Object.entries(PLOTS).flatMap(([bench, draw]) => {
    const ofBench = (file: RunFile) => file.results.filter((result) => result.bench === bench);
    const own = files.filter((file) => ofBench(file).length > 0);
    const notes = own.map(
      ({ measured_at, commit, machine: { cpu, cores } }) =>
        `${measured_at.slice(0, 10)}, commit ${commit}, ${cores} cores of ${cpu}`,
    );
    const note = [...new Set(notes)].join('; ');
    return own.length === 0 ? [] : [[bench, draw(own.flatMap(ofBench), note)] as const];
  });
  return new Map(plots);
}

/** Returns the paths of the plots. */
export async function writePlots([folder, ...paths]: readonly string[]): Promise<string[]> {
  if (folder === undefined || paths.length === 0) throw new UsageError('give a FOLDER and a FILE');
  const files = await Promise.all(
    paths.map(async (path) => JSON.parse(await readFile(path, 'utf8')) as RunFile),
  );
  const plots = drawPlots(files);
  if (plots.size === 0) throw new UsageError('no file has results of a bench that is drawn');
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const [bench, plot] of plots) {
    written.push(join(folder, `${bench}.svg`));
    await writeFile(join(folder, `${bench}.svg`), plot);
  }
  return written;
}
