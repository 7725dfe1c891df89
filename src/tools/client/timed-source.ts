/** The files of a replay as parts that are posted one after the other, in order of time or as they lie. */
import {
  type LabelField,
  labelProjection,
  type TransactionField,
  transactionProjection,
  wireMsOf,
} from '../../core/domain/file-rows.ts';
import { type Mapping, openSource, type Projection, type Row } from '../../kit/client/rows.ts';
import { runsOf, sortRows, type TimedRow } from '../../kit/client/sorted-rows.ts';

export type Kind = 'transactions' | 'labels';

export type LabelsFile = {
  readonly file: string;
  readonly mapping: Mapping<LabelField>;
  readonly labelledAfterMs: number | null;
};

type Files = {
  readonly files: readonly string[];
  readonly mapping: Mapping<TransactionField>;
  readonly labels: LabelsFile | null;
};

type Part = { readonly kind: Kind; readonly rows: ReturnType<typeof unsortedRows> };

export type Parts = AsyncDisposable & {
  /** Each is posted whole before the next one. */
  readonly parts: AsyncGenerator<Part, void>;
  readonly shareRead: () => number;
};

export type SortSettings = Pick<
  Parameters<typeof sortRows>[1],
  'folder' | 'bytesMax' | 'environment'
>;

const DAY_MS = 86_400_000;

/** Parts of one file after the other. */
export async function openUnsorted({ files, mapping }: Files): Promise<Parts> {
  const sources = await openAll(files, transactionProjection(mapping));
  const shares = () => sources.reduce((sum, { source }) => sum + source.shareRead(), 0);
  return {
    parts: (async function* () {
      yield { kind: 'transactions', rows: unsortedRows(sources) };
    })(),
    shareRead: () => shares() / sources.length,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/**
 * Transactions of all files in order of time; those without a time come last. Labels whose time lies before a day of UTC come
 * before the transactions of that day.
 */
export async function openSorted(
  { files, mapping, labels }: Files,
  options: SortSettings & Pick<Parameters<typeof sortRows>[1], 'signal' | 'onProgress'>,
): Promise<Parts> {
  const transactions = await openAll(files, transactionProjection(mapping));
  const labelFiles =
    labels === null
      ? []
      : await openAll([labels.file], labelProjection(labels.mapping, labels.labelledAfterMs));
  const sorted = await sortRows(timedRows(transactions, labelFiles, labels?.file), options);
  let read = 0;
  const counted = async function* () {
    for await (const row of sorted.rows) {
      read++;
      yield row;
    }
  };
  return {
    parts: runsOf(counted()),
    shareRead: () => read / Math.max(1, sorted.count),
    [Symbol.asyncDispose]: () => sorted[Symbol.asyncDispose](),
  };
}

/** Rows have the name of their file where there are several. */
async function openAll(files: readonly string[], projection: Projection) {
  return await Promise.all(
    files.map(async (path) => ({
      named: files.length > 1 ? { file: path } : {},
      source: await openSource(path, projection),
    })),
  );
}

type Sources = Awaited<ReturnType<typeof openAll>>;

async function* unsortedRows(sources: Sources) {
  for (const { named, source } of sources) {
    for await (const row of source.rows()) yield { ...named, ...row };
  }
}

async function* timedRows(
  transactions: Sources,
  labels: Sources,
  labelsFile = '',
): AsyncGenerator<TimedRow<Kind>> {
  for await (const row of unsortedRows(transactions)) {
    yield { kind: 'transactions', rank: 1, timeMs: timeOf(row, 'created_at'), row };
  }
  for await (const row of unsortedRows(labels)) {
    const labelledMs = timeOf(row, 'labelled_at');
    const timeMs =
      labelledMs === undefined ? undefined : (Math.floor(labelledMs / DAY_MS) + 1) * DAY_MS;
    yield { kind: 'labels', rank: 0, timeMs, row: { file: labelsFile, ...row } };
  }
}

const timeOf = (row: object | Row, field: string) =>
  'body' in row ? wireMsOf(Reflect.get(row.body as object, field)) : undefined;
