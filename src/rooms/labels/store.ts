/**
 * Labels as people list them: by transaction, account, merchant or simply newest first. Partitions are by the month of the
 * transaction, and a label may come at any time after it, so a page merges all months up to its time along an index.
 */
import type { LabelJson } from '../../core/domain/label.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { LABEL_COLUMNS } from '../../core/store/labels/label-history.ts';
import {
  isoTime,
  JOINED_ROWS_EXAMINED_MAX,
  type PreparedSearch,
  SLICE_ROWS_EXAMINED_MAX,
} from '../../core/store/partitions/month-slice.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { LabelListParameters, LabelPosition } from './parameters.ts';

type LabelFilter = Omit<LabelListParameters, 'limit' | 'cursor'> & {
  /** The client whose transactions are seen; null for all. */
  readonly client: string | null;
};

const ORDER = 'l.labelled_at desc, l.transaction_id desc, l.label desc, l.source desc';

/** The statements of one slice, out of fixed parts only; values are always parameters. */
function labelSearch(filter: LabelFilter, before: LabelPosition | undefined, rows: number) {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const examined = filter.client === null ? SLICE_ROWS_EXAMINED_MAX : JOINED_ROWS_EXAMINED_MAX;
  const way = `select l.* from market.labels l ${where(wayIn(filter, before, parameter))} order by ${ORDER}`;
  const boundary: PreparedSearch = {
    text: `select ${LABEL_COLUMNS} from (${way} offset ${examined - 1} limit 1) l`,
    values: [...values],
  };
  const { joins, conditions } = residual(filter, parameter);
  const page: PreparedSearch = {
    text: `select ${LABEL_COLUMNS} from (${way} limit ${examined}) l ${joins} ${where(conditions)}
            order by ${ORDER} limit ${parameter(rows)}`,
    values,
  };
  return { page, boundary: joins === '' && conditions.length === 0 ? null : boundary };
}

const where = (conditions: readonly string[]) =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;

type Parameter = (value: unknown) => string;

/** Conditions that an index answers. A label is never older than its transaction, which leaves out the months after its time. */
function wayIn(
  { account_id, merchant_id, transaction_id, from, to }: LabelFilter,
  before: LabelPosition | undefined,
  parameter: Parameter,
): string[] {
  const conditions: string[] = [];
  if (transaction_id !== undefined) {
    const createdAt = isoTime(createdAtMsOf(transaction_id) ?? 0);
    conditions.push(`l.transaction_id = ${parameter(transaction_id)}`);
    conditions.push(`l.created_at = ${parameter(createdAt)}`);
  } else if (account_id !== undefined) conditions.push(`l.account_id = ${parameter(account_id)}`);
  else if (merchant_id !== undefined) conditions.push(`l.merchant_id = ${parameter(merchant_id)}`);
  if (from !== undefined) conditions.push(`l.labelled_at >= ${parameter(isoTime(from))}`);
  if (to !== undefined) {
    const end = parameter(isoTime(to));
    conditions.push(`l.labelled_at < ${end} and l.created_at < ${end}`);
  }
  if (before !== undefined) {
    const at = parameter(before.labelled_at);
    const rest = [before.transaction_id, before.label, before.source].map(parameter).join(', ');
    conditions.push(`(l.labelled_at, l.transaction_id, l.label, l.source) < (${at}, ${rest})`);
    conditions.push(`l.created_at <= ${at}`);
  }
  return conditions;
}

/** Conditions that no index answers, and their joins: they are applied to the rows that are looked at. */
function residual(
  { account_id, merchant_id, transaction_id, label, source, client }: LabelFilter,
  parameter: Parameter,
): { readonly joins: string; readonly conditions: string[] } {
  const conditions: string[] = [];
  const equals = (column: string, value: string | undefined) => {
    if (value !== undefined) conditions.push(`l.${column} = ${parameter(value)}`);
  };
  if (transaction_id !== undefined) equals('account_id', account_id);
  if (transaction_id !== undefined || account_id !== undefined) equals('merchant_id', merchant_id);
  equals('label', label);
  equals('source', source);
  // Lateral and limited, so that each row asks one partition by its primary key.
  const joins =
    client === null
      ? ''
      : `cross join lateral (
           select from market.transactions t
            where t.transaction_id = l.transaction_id and t.created_at = l.created_at and t.client = ${parameter(client)}
            limit 1) own`;
  return { joins, conditions };
}

/** `reached` is the label where the reading stopped; null when nothing is left. */
export async function searchStoredLabels(
  { query }: Pick<Database, 'query'>,
  filter: LabelFilter,
  before: LabelPosition | undefined,
  rowsMax: number,
): Promise<{ readonly rows: LabelJson[]; readonly reached: LabelPosition | null }> {
  const { page, boundary } = labelSearch(filter, before, rowsMax);
  const rows = await query<LabelJson>(page, page.values);
  const last = rows.at(-1);
  if (rows.length === rowsMax) return { rows, reached: last ?? null };
  if (boundary === null) return { rows, reached: null };
  const [end] = await query<LabelJson>(boundary, boundary.values);
  if (end === undefined) return { rows, reached: null };
  // Where labels have arrived between the two statements, the end may be before a label that was found.
  return { rows, reached: last === undefined || isAfter(end, last) ? end : last };
}

/** Whether one label is listed after another, of another transaction or time. */
function isAfter(left: LabelPosition, right: LabelPosition): boolean {
  if (left.labelled_at !== right.labelled_at) return left.labelled_at < right.labelled_at;
  return left.transaction_id < right.transaction_id;
}
