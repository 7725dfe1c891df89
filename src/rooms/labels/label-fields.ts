/**
 * Maps a foreign row to the API's label. A file may name transactions by id or by the key they were sent with,
 * mark frauds by 1 and 0, and give `labelled_at` as a delay after `created_at`.
 */
import { createdAtMsOf } from '../../core/domain/transaction-id.ts';
import {
  columnMissing,
  type Mapping,
  type Projection,
  type RowBody,
} from '../../kit/client/fields.ts';
import { wireTime } from '../../kit/words/wire-time.ts';

/** `created_at` is read only to compute `labelled_at`. */
export const LABEL_FIELDS = [
  'transaction_id',
  'idempotency_key',
  'label',
  'labelled_at',
  'source',
  'note',
  'created_at',
] as const;
export type LabelField = (typeof LABEL_FIELDS)[number];

export type LabelProjectionOptions = {
  readonly mapping: Mapping<LabelField>;
  /** Computes `labelled_at` from `created_at`; null where the file has it. */
  readonly labelledAfterMs: number | null;
};

export function labelProjection(options: LabelProjectionOptions): Projection {
  const columns = columnsOf(options.mapping);
  return {
    csv: (header) => {
      requireColumns(header, columns, options);
      const indexOf = new Map(
        LABEL_FIELDS.map((field) => [field, header.indexOf(columns[field] ?? '')]),
      );
      return (cells) =>
        toBody(options, (field) => {
          const cell = cells[indexOf.get(field) ?? -1];
          return cell === '' ? undefined : cell;
        });
    },
    json: (source) =>
      toBody(options, (field) => {
        const column = columns[field];
        return column === undefined ? undefined : Reflect.get(source, column);
      }),
  };
}

type Columns = Readonly<Partial<Record<LabelField, string>>>;

/** Source column of each field. A column that is assigned to one field is not also used under its own name. */
function columnsOf({ columns, constants }: Mapping<LabelField>): Columns {
  const given = new Set(Object.values(columns));
  const isByKey = 'idempotency_key' in columns && !('transaction_id' in columns);
  const entries = LABEL_FIELDS.flatMap((field) => {
    if (field in constants) return [];
    if (columns[field] !== undefined) return [[field, columns[field]]];
    if (given.has(field) || (isByKey && field === 'transaction_id')) return [];
    return [[field, field]];
  });
  return Object.fromEntries(entries);
}

function requireColumns(
  header: readonly string[],
  columns: Columns,
  { mapping, labelledAfterMs }: LabelProjectionOptions,
): void {
  const has = (field: LabelField) =>
    field in mapping.constants || header.includes(columns[field] ?? '');
  const oneOf = (...fields: LabelField[]) => {
    const named = fields.find((field) => mapping.columns[field] !== undefined) ?? fields[0];
    if (named === undefined || fields.some(has)) return;
    throw columnMissing(columns[named] ?? named, named, header);
  };
  for (const field of LABEL_FIELDS) if (mapping.columns[field] !== undefined) oneOf(field);
  oneOf('idempotency_key', 'transaction_id');
  oneOf('label');
  oneOf('source');
  if (labelledAfterMs === null) oneOf('labelled_at');
  else oneOf('created_at', 'transaction_id');
}

function toBody(
  { mapping, labelledAfterMs }: LabelProjectionOptions,
  readColumn: (field: LabelField) => unknown,
): RowBody {
  const read = (field: LabelField) => mapping.constants[field] ?? readColumn(field);
  const transactionId = read('transaction_id');
  const note = read('note');
  return {
    ...(transactionId === undefined
      ? { idempotency_key: read('idempotency_key') }
      : { transaction_id: transactionId }),
    label: labelOf(read('label')),
    labelled_at:
      labelledAfterMs === null
        ? read('labelled_at')
        : timeAfter(read('created_at'), transactionId, labelledAfterMs),
    source: read('source'),
    ...(note === undefined ? {} : { note }),
  };
}

const LABELS_BY_FLAG: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['1', 'fraud'],
  [1, 'fraud'],
  [true, 'fraud'],
  ['0', 'legitimate'],
  [0, 'legitimate'],
  [false, 'legitimate'],
]);

/** A value that is no flag is passed on unchanged: the API judges it. */
function labelOf(value: unknown): unknown {
  return LABELS_BY_FLAG.get(value) ?? value;
}

function timeAfter(createdAt: unknown, transactionId: unknown, afterMs: number): unknown {
  const createdAtMs =
    createdAt === undefined
      ? createdAtMsOf(String(transactionId))
      : Date.parse(wireTime.safeParse(createdAt).data ?? '');
  if (createdAtMs === undefined || Number.isNaN(createdAtMs)) return createdAt;
  return new Date(createdAtMs + afterMs).toISOString();
}
