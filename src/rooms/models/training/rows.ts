/** Training data, column by column, collected from pages of stored rows. */

/** Columns are float32, because trees compare float32; NaN is missing. All columns have one value a row. */
export type TrainingSet = {
  readonly featureNames: readonly string[];
  readonly columns: readonly Float32Array[];
  /** 1 for fraud, 0 for legitimate. */
  readonly labels: Uint8Array;
};

/** In time order. */
export type LabelledRows = TrainingSet & {
  /** Numbers of accounts, from 0 in the order of their first row. */
  readonly accounts: Int32Array;
  readonly days: Int32Array;
  /** Names by row; empty unless segments were asked for. */
  readonly segments: Readonly<Record<string, readonly string[]>>;
};

/** Logged vectors with the labels of their transactions: each array has one item a row, in time order. */
export type TrainingPage = {
  readonly rows: number;
  /** Row after row, all features of the schema; NaN is missing. */
  readonly vectors: Float64Array;
  readonly accountIds: readonly string[];
  /** UTC days since 1970-01-01. */
  readonly days: Int32Array;
  /** 1 for fraud. */
  readonly labels: Uint8Array;
  /** 1 where there is no label. */
  readonly unlabelled: Uint8Array;
  readonly corridors: readonly string[];
  /** Null where the transaction has none; absent unless asked for. */
  readonly countries?: readonly (string | null)[];
};

/** The features of a schema that are kept. */
export type FeatureChoice = {
  readonly names: readonly string[];
  /** Their indexes in the schema's vectors. */
  readonly columns: Int32Array;
  /** Number of features of the schema. */
  readonly schemaFeatures: number;
};

const NO_COUNTRY = 'none given';

/**
 * Columns are allocated once, for the most rows that can come: memory that is never written takes no space.
 * @param segmented whether corridors and countries are kept by row
 */
export function createCollector(choice: FeatureChoice, rowsMax: number, segmented: boolean) {
  const columns = choice.names.map(() => new Float32Array(rowsMax));
  const labels = new Uint8Array(rowsMax);
  const accounts = new Int32Array(rowsMax);
  const days = new Int32Array(rowsMax);
  const numbers = new Map<string, number>();
  const corridors: string[] = [];
  const countries: string[] = [];
  let rows = 0;
  return {
    add(page: TrainingPage): void {
      if (rows + page.rows > rowsMax) throw new Error(`more than ${rowsMax} rows`);
      fillColumns(columns, choice, page, rows);
      labels.set(page.labels, rows);
      days.set(page.days, rows);
      for (const [at, accountId] of page.accountIds.entries()) {
        const number = numbers.get(accountId) ?? numbers.size;
        numbers.set(accountId, number);
        accounts[rows + at] = number;
      }
      if (segmented) {
        for (const corridor of page.corridors) corridors.push(corridor);
        for (const country of page.countries ?? []) countries.push(country ?? NO_COUNTRY);
      }
      rows += page.rows;
    },
    finish: (): LabelledRows => ({
      featureNames: choice.names,
      columns: columns.map((column) => column.subarray(0, rows)),
      labels: labels.subarray(0, rows),
      accounts: accounts.subarray(0, rows),
      days: days.subarray(0, rows),
      segments: segmented ? segmentsOf(corridors, countries) : {},
    }),
  };
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

/** Throws an Error for columns of different lengths, and for labels of one kind only. */
export function checkTrainingSet({ featureNames, columns, labels }: TrainingSet): void {
  if (columns.length !== featureNames.length || columns.length === 0) {
    throw new Error(`${columns.length} columns for ${featureNames.length} features`);
  }
  const odd = columns.findIndex((column) => column.length !== labels.length);
  if (odd >= 0) throw new Error(`column ${featureNames[odd]} has not ${labels.length} rows`);
  const frauds = countFrauds(labels);
  if (frauds === 0 || frauds === labels.length) {
    throw new Error(`${frauds} frauds of ${labels.length} rows: nothing to tell apart`);
  }
}

export function countFrauds(labels: Uint8Array): number {
  let frauds = 0;
  for (const label of labels) frauds += label;
  return frauds;
}
