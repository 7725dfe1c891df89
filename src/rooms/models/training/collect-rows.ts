/** Collects stored rows into the columns that a model is trained and judged on. */
import type { TrainingPage } from '../training-page.ts';
import type { TrainingSet } from './training-set.ts';

/** In time order. */
export type LabelledRows = TrainingSet & {
  /** Numbers of accounts, from 0 in the order of their first row. */
  readonly accounts: Int32Array;
  readonly days: Int32Array;
  /** Names by row; empty unless segments were asked for. */
  readonly segments: Readonly<Record<string, readonly string[]>>;
};

/** The features of a schema that are kept. */
export type FeatureChoice = {
  readonly names: readonly string[];
  /** Their indexes in the schema's vectors. */
  readonly columns: Int32Array;
  /** Number of features of the schema. */
  readonly schemaFeatures: number;
};

type RowCollector = {
  add(page: TrainingPage): void;
  finish(): LabelledRows;
};

const NO_COUNTRY = 'none given';

/**
 * Columns are allocated once, for the most rows that can come: memory that is never written takes no space.
 * @param segmented whether corridors and countries are kept by row
 */
export function createCollector(
  choice: FeatureChoice,
  rowsMax: number,
  segmented: boolean,
): RowCollector {
  const columns = choice.names.map(() => new Float32Array(rowsMax));
  const labels = new Uint8Array(rowsMax);
  const accounts = new Int32Array(rowsMax);
  const days = new Int32Array(rowsMax);
  const numbers = new Map<string, number>();
  const corridors: string[] = [];
  const countries: string[] = [];
  let rows = 0;
  const add = (page: TrainingPage) => {
    if (rows + page.rows > rowsMax) throw new Error(`more than ${rowsMax} rows`);
    fillColumns(columns, choice, page, rows);
    labels.set(page.labels, rows);
    days.set(page.days, rows);
    for (const [at, accountId] of page.accountIds.entries()) {
      accounts[rows + at] = numberOf(numbers, accountId);
    }
    if (segmented) {
      for (const corridor of page.corridors) corridors.push(corridor);
      for (const country of page.countries ?? []) countries.push(country ?? NO_COUNTRY);
    }
    rows += page.rows;
  };
  const finish = () => ({
    featureNames: choice.names,
    columns: columns.map((column) => column.subarray(0, rows)),
    labels: labels.subarray(0, rows),
    accounts: accounts.subarray(0, rows),
    days: days.subarray(0, rows),
    segments: segmented ? segmentsOf(corridors, countries) : {},
  });
  return { add, finish };
}

/** The hot loop of reading: indexes are within bounds by the checks around it. */
function fillColumns(
  columns: readonly Float32Array[],
  choice: FeatureChoice,
  page: TrainingPage,
  from: number,
): void {
  const { schemaFeatures } = choice;
  if (page.vectors.length !== page.rows * schemaFeatures) {
    throw new Error(`${page.vectors.length} values are not ${page.rows} vectors`);
  }
  for (const [index, column] of columns.entries()) {
    let at = choice.columns[index] ?? 0;
    for (let row = 0; row < page.rows; row++) {
      column[from + row] = page.vectors[at] as number;
      at += schemaFeatures;
    }
  }
}

function numberOf(numbers: Map<string, number>, accountId: string): number {
  const known = numbers.get(accountId);
  if (known !== undefined) return known;
  numbers.set(accountId, numbers.size);
  return numbers.size - 1;
}

/** Countries are kept only where there are any. */
function segmentsOf(corridors: readonly string[], countries: readonly string[]) {
  const given = countries.some((country) => country !== NO_COUNTRY);
  return { corridor: corridors, ...(given ? { country: countries } : {}) };
}

/** Selects rows, in their order. */
export function pickRows(set: TrainingSet, picked: Int32Array): TrainingSet {
  return {
    featureNames: set.featureNames,
    columns: set.columns.map((column) =>
      Float32Array.from(picked, (row) => column[row] ?? Number.NaN),
    ),
    labels: Uint8Array.from(picked, (row) => set.labels[row] ?? 0),
  };
}
