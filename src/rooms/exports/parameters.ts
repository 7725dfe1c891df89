/** `GET /v1/exports/transactions?…`: the filters of the search, an order by time, a form, and where to go on. */
import { z } from 'zod';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import {
  checkTogether,
  filters,
  orderParameter,
  status,
} from '../../core/store/search/search-question.ts';
import { shown } from '../../kit/words/list-parameters.ts';
import { readFields, shownFields } from '../../kit/words/selected-fields.ts';
import { FLAT_COLUMNS } from './columns.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Most rows of a Parquet file, which is one part of an export. More: its footer, which is written in one piece, holds the thread for longer. */
export const PARQUET_ROWS_MAX = 250_000;

const after = z
  .string()
  .toLowerCase()
  .refine(
    (id) => createdAtMsOf(id) !== undefined,
    'must be a transaction_id, as the last row that you have names it',
  )
  .optional()
  .meta(
    shown(
      '01a1f84a-95c0-7000-8000-00000000002a',
      'Only rows behind this transaction, in the order of the export: where an export that broke off, or the next part of a Parquet export, goes on.',
    ),
  );

/** An export that broke off goes on behind this column's value in the last row. */
const ID = 'transaction_id';
const NAMES = FLAT_COLUMNS.map(({ name }) => name);

/** The columns that are asked for, in the order of the export. */
const fields = z
  .string()
  .default(NAMES.join(','))
  .transform(readFields(NAMES, ID))
  .transform((fields) => FLAT_COLUMNS.filter(({ name }) => fields.has(name)))
  .meta(
    shownFields(
      NAMES,
      'account_id,amount,score,reason_codes',
      `Columns of csv and parquet, all by default; \`${ID}\` is always one. Lines of ndjson are whole.`,
    ),
  );

export const exportParameters = z
  .strictObject({
    ...filters,
    status,
    format: z
      .enum(EXPORT_FORMATS)
      .default('csv')
      .meta({
        description: `csv: a flat row a line. ndjson: the rows of the search, one a line. parquet: the columns of csv, at most ${PARQUET_ROWS_MAX.toLocaleString('en-US')} rows.`,
      }),
    order: orderParameter.meta({ description: 'Newest first: `desc`.' }),
    fields,
    after,
  })
  .superRefine(checkTogether);
export type ExportParameters = z.output<typeof exportParameters>;
