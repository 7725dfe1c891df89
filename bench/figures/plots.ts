/** The plots of the documents, drawn from what `npm run figures` wrote. */
import { loadName } from '../support/load.ts';
import { barChart, type Line, lineChart } from '../support/svg.ts';
import type { FigureFile, Result } from './file.ts';

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
    const rows = result?.tables[0]?.rows ?? [];
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

/** Undefined for a part whose bench has no plot. */
export function drawPlot(file: FigureFile): string | undefined {
  const { measured_at, commit, machine, results } = file;
  const note = `${measured_at.slice(0, 10)}, commit ${commit}, ${machine.cores} cores of ${machine.cpu}`;
  return PLOTS[results[0]?.bench ?? '']?.(results, note);
}
