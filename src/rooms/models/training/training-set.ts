/** Training data, column by column. */

/** Columns are float32, because trees compare float32; NaN is missing. All columns have one value a row. */
export type TrainingSet = {
  readonly featureNames: readonly string[];
  readonly columns: readonly Float32Array[];
  /** 1 for fraud, 0 for legitimate. */
  readonly labels: Uint8Array;
};

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
  for (const label of labels) frauds += label === 1 ? 1 : 0;
  return frauds;
}
