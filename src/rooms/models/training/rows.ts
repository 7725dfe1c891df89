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

/** A logged vector with the label of its transaction. */
export type TrainingRow = {
  /** All features; NaN is missing. */
  readonly vector: Float64Array;
  readonly accountId: string;
  /** UTC days since 1970-01-01. */
  readonly day: number;
  /** Null: there is no label, and the row counts as legitimate. */
  readonly label: 'fraud' | 'legitimate' | null;
  readonly corridor: string;
  /** Null where the transaction has none; absent unless asked for. */
  readonly country?: string | null;
};

/** The features that are kept. */
export type FeatureChoice = {
  readonly names: readonly string[];
  /** The indexes of these features in a vector. */
  readonly columns: Int32Array;
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
    add(page: readonly TrainingRow[]): void {
      for (const { vector, accountId, day, label, corridor, country } of page) {
        for (let at = 0; at < columns.length; at++) {
          (columns[at] as Float32Array)[rows] = vector[choice.columns[at] as number] as number;
        }
        const number = numbers.get(accountId) ?? numbers.size;
        numbers.set(accountId, number);
        accounts[rows] = number;
        days[rows] = day;
        labels[rows] = label === 'fraud' ? 1 : 0;
        rows++;
        if (!segmented) continue;
        corridors.push(corridor);
        countries.push(country ?? NO_COUNTRY);
      }
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

export function countFrauds(labels: Uint8Array): number {
  let frauds = 0;
  for (const label of labels) frauds += label;
  return frauds;
}
