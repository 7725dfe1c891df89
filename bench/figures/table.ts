/** Tables of pages, made of the results of a part. */
import type { Row } from '../../src/kit/command/output.ts';
import type { FigureFile, Result } from './file.ts';

export type Table = {
  /** Path below docs/. */
  readonly page: string;
  /** Headings, of which the first gets date and commit. */
  readonly columns: readonly string[];
  readonly rows: (file: FigureFile) => readonly (readonly string[])[];
};

type Read = (result: Result, file: FigureFile) => string;

/** Makes a table with a row for each result that has figures, then the rows of `more`. */
export const tableOf = (
  page: string,
  columns: Readonly<Record<string, Read>>,
  more: readonly (readonly string[])[] = [],
): Table => ({
  page,
  columns: Object.keys(columns),
  rows: (file) => [
    ...file.results
      .filter(({ figures: own }) => Object.keys(own).length > 0)
      .map((result) => Object.values(columns).map((read) => read(result, file))),
    ...more,
  ],
});

export const shown = (value: number): string =>
  Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });

/** Reads the named figures in their order. */
export const figures =
  (...names: string[]): Read =>
  ({ figures: own }) =>
    names.map((name) => shown(own[name] ?? Number.NaN)).join(', ');

export const input =
  (name: string): Read =>
  ({ inputs }) =>
    String(inputs[name] ?? '');

export const rowsOf = ({ tables }: Result, title: string): readonly Row[] =>
  tables.find((table) => table.title.startsWith(title))?.rows ?? [];

/** Processor time a transaction of API, workers, Postgres and Redis, then of all together with the clients. */
export const microseconds: Read = (result) => {
  const roles = rowsOf(result, 'processor time by role');
  const own = ['api', 'workers', 'postgres', 'redis'].map((name) =>
    shown(Number(roles.find(({ role }) => role === name)?.['us_per_transaction'])),
  );
  return [...own, shown(result.figures['cpu_us_per_transaction'] ?? Number.NaN)].join(', ');
};

/** The rate divided by the bare pipeline's rate under the same load. */
export const byBare: Read = ({ perSecond, ceilings }) => {
  const bare = ceilings.find(({ name }) => name.startsWith('the bare pipeline'));
  return bare === undefined ? '' : shown(perSecond / bare.perSecond);
};
