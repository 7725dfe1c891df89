/** How the rows of a file become what the API takes: transactions and labels. */
import { zonedTime } from '../../kit/client/cell-values.ts';
import { type Mapping, type Projection, projectionOf } from '../../kit/client/rows.ts';
import { refuseLost } from '../../kit/http/body/lost-in-parsing.ts';
import { atOnce } from '../../kit/process/pauses.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { currencyScale } from './currency.ts';
import { createdAtMsOf } from './transaction.ts';

/** Fields of a submitted transaction that a file must have. */
const REQUIRED = [
  ...(['idempotency_key', 'account_id', 'merchant_id', 'amount', 'currency', 'corridor'] as const),
];

/** In the order in which they are sent. */
export const TRANSACTION_FIELDS = [
  ...REQUIRED,
  ...(['created_at', 'type', 'ip', 'device_id', 'country', 'channel', 'metadata'] as const),
];
export type TransactionField = (typeof TRANSACTION_FIELDS)[number];

export function transactionProjection(mapping: Mapping<TransactionField>): Projection {
  return projectionOf<TransactionField>(mapping, {
    fields: TRANSACTION_FIELDS,
    needed: REQUIRED.map((field) => [field]),
    ids: ['idempotency_key', 'account_id', 'merchant_id', 'device_id'],
    toBody: (read) => {
      const values = TRANSACTION_FIELDS.map((field) => [field, readField(field, read)] as const);
      return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    },
  });
}

/** Tools write some fields in other forms than the API takes. */
function readField(field: TransactionField, read: (field: TransactionField) => unknown): unknown {
  const value = read(field);
  switch (field) {
    case 'amount':
      return withoutNeedlessZeros(value, read('currency'));
    case 'created_at':
      return zonedTime(value);
    case 'metadata':
      return parsedOrSame(value);
    default:
      return value;
  }
}

/** Zeros behind the decimal places that the currency has: data frames write whole amounts as `1000.0`. */
function withoutNeedlessZeros(amount: unknown, currency: unknown): unknown {
  const scale = currencyScale(String(currency));
  const [, whole, decimals = ''] = /^(\d+)\.(\d*?)0*$/.exec(String(amount)) ?? [];
  const isLonger = scale !== undefined && String(amount).length > `${whole}.`.length + scale;
  if (whole === undefined || !isLonger || decimals.length > scale) return amount;
  return scale === 0 ? whole : `${whole}.${decimals.padEnd(scale, '0')}`;
}

/** Metadata is JSON in a cell. @throws InvalidFields where a part of the text would be lost */
function parsedOrSame(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return value;
  }
  atOnce(refuseLost(Buffer.from(value), parsed, { within: '/metadata' }));
  return parsed;
}

/** `created_at` is read only to compute `labelled_at`. */
export const LABEL_FIELDS = [
  ...(['transaction_id', 'idempotency_key', 'label', 'labelled_at'] as const),
  ...(['source', 'note', 'created_at'] as const),
];
export type LabelField = (typeof LABEL_FIELDS)[number];

/** As people, data frames, spreadsheets and databases write them, in small letters. */
const LABELS = {
  fraud: ['fraud', '1', '1.0', 'true', 't'],
  legitimate: ['legitimate', '0', '0.0', 'false', 'f'],
};

/** A value that is no flag is passed on unchanged: the API judges it. */
function labelOf(value: unknown): unknown {
  const text = String(value).trim().toLowerCase();
  return Object.entries(LABELS).find(([, flags]) => flags.includes(text))?.[0] ?? value;
}

/**
 * Maps a foreign row to the API's label. A file may name transactions by id or by the key they were sent with,
 * mark frauds by 1 and 0, and give `labelled_at` as a delay after `created_at`.
 * @param labelledAfterMs computes `labelled_at` from `created_at`; null where the file has it
 */
export function labelProjection(
  mapping: Mapping<LabelField>,
  labelledAfterMs: number | null,
): Projection {
  const { columns } = mapping;
  const mapped = new Set(Object.values(columns));
  const isByKey = 'idempotency_key' in columns && !('transaction_id' in columns);
  return projectionOf(mapping, {
    fields: LABEL_FIELDS,
    needed: [
      ['idempotency_key', 'transaction_id'] as const,
      ['label'] as const,
      ['source'] as const,
      labelledAfterMs === null ? ['labelled_at'] : ['created_at', 'transaction_id'],
    ],
    // A column that is assigned to one field is not also used under its own name.
    unread: LABEL_FIELDS.filter(
      (field) => mapped.has(field) || (isByKey && field === 'transaction_id'),
    ),
    ids: ['transaction_id', 'idempotency_key'],
    toBody: (read) => {
      const transactionId = read('transaction_id');
      const [label, note] = [read('label'), read('note')];
      return {
        ...(transactionId === undefined
          ? { idempotency_key: read('idempotency_key') }
          : { transaction_id: transactionId }),
        label: labelOf(label),
        labelled_at:
          labelledAfterMs === null
            ? zonedTime(read('labelled_at'))
            : timeAfter(zonedTime(read('created_at')), transactionId, labelledAfterMs),
        source: read('source'),
        ...(note === undefined ? {} : { note }),
      };
    },
  });
}

function timeAfter(createdAt: unknown, transactionId: unknown, afterMs: number): unknown {
  const createdAtMs =
    createdAt === undefined ? createdAtMsOf(String(transactionId)) : wireMsOf(createdAt);
  if (createdAtMs === undefined) return createdAt;
  return new Date(createdAtMs + afterMs).toISOString();
}

/** Epoch milliseconds of a time that the API would take; undefined where there is none. */
export function wireMsOf(value: unknown): number | undefined {
  const { data } = wireTime.safeParse(value);
  return data === undefined ? undefined : Date.parse(data);
}
