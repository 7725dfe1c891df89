/** The files of a replay as parts that are posted one after the other, in order of time or as they lie. */
import {
  type LabelField,
  labelProjection,
  type TransactionField,
  transactionProjection,
  wireMsOf,
} from '../../core/domain/file-rows.ts';
import { type Mapping, openSource, type Projection, type Row } from '../../kit/client/rows.ts';
import type { CommandContext } from '../../kit/command/command.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { runsOf, sortRows, type TimedRow } from './sorted-rows.ts';

export type Kind = 'transactions' | 'labels';

export type ReplayFiles = {
  readonly files: readonly string[];
  readonly mapping: Mapping<TransactionField>;
  readonly order: 'time' | 'file';
  /** Bound on what sorting writes to its folder. */
  readonly sortBytesMax: number;
  /** Posted with the transactions, by their times; null where the order is that of the file. */
  readonly labels: {
    readonly file: string;
    readonly mapping: Mapping<LabelField>;
    readonly labelledAfterMs: number | null;
  } | null;
  /** Parts of a single day each, but for transactions without a time. */
  readonly isByDay: boolean;
};

export type Parts = Awaited<ReturnType<typeof openParts>>;

/**
 * Parts, each of which is posted whole before the next one. In order of time, transactions without a time come last, and labels
 * whose time lies before a day of UTC come before the transactions of that day.
 */
export async function openParts(
  { files, mapping, order, sortBytesMax: bytesMax, labels, isByDay }: ReplayFiles,
  { environment, output, signal }: Pick<CommandContext, 'environment' | 'output' | 'signal'>,
) {
  const transactions = await openAll(files, transactionProjection(mapping));
  const labelFiles =
    labels === null
      ? []
      : await openAll([labels.file], labelProjection(labels.mapping, labels.labelledAfterMs));
  const rows = timedRows(transactions, labelFiles, labels?.file);
  if (order === 'file') {
    const shares = () => transactions.reduce((sum, { source }) => sum + source.shareRead(), 0);
    return { parts: runsOf(rows), shareRead: () => shares() / transactions.length };
  }
  let [given, taken] = [0, 0];
  const onProgress = (rows: number) => {
    given = rows;
    output.progress(`read ${rows} rows, to sort them by time`);
  };
  const counted = async function* () {
    for await (const row of sortRows(rows, { environment, bytesMax, signal, onProgress })) {
      taken++;
      yield row;
    }
  };
  const parts = runsOf(counted(), isByDay ? dayOf : undefined);
  return { parts, shareRead: () => taken / Math.max(1, given) };
}

/** UTC day of a transaction, in days since 1970. */
function dayOf({ kind, row }: { readonly kind: Kind; readonly row: object }): number | undefined {
  const ms = kind === 'transactions' ? timeOf(row, 'created_at') : undefined;
  return ms === undefined ? undefined : Math.floor(ms / DAY_MS);
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

/** Labels come last of a day: of rows of one time, those that are given first stay first. */
async function* timedRows(
  transactions: Sources,
  labels: Sources,
  labelsFile = '',
): AsyncGenerator<TimedRow<Kind>, void> {
  for await (const row of unsortedRows(transactions)) {
    yield { kind: 'transactions', timeMs: timeOf(row, 'created_at'), row };
  }
  for await (const row of unsortedRows(labels)) {
    const labelledMs = timeOf(row, 'labelled_at');
    const timeMs =
      labelledMs === undefined ? undefined : (Math.floor(labelledMs / DAY_MS) + 1) * DAY_MS - 1;
    yield { kind: 'labels', timeMs, row: { file: labelsFile, ...row } };
  }
}

const timeOf = (row: object | Row, field: string) =>
  'body' in row ? wireMsOf(Reflect.get(row.body as object, field)) : undefined;
