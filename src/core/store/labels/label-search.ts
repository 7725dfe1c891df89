/**
 * Labels as people read them: the history of one transaction, or a page by transaction, account, merchant or simply newest
 * first. Partitions are by the month of the transaction, and a label may come at any time after it, so a page merges all
 * months up to its time, each through an index in the order of the list.
 */
import type { Database } from '../../../kit/database/pool.ts';
import type { LabelPosition } from '../../../rooms/labels/label-list.ts';
import type { LabelValue } from '../../domain/label.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import {
  isoTime,
  JOINED_ROWS_EXAMINED_MAX,
  type PreparedSearch,
  SLICE_ROWS_EXAMINED_MAX,
  UNNAMED,
} from '../partitions/month-slice.ts';

export type StoredLabel = LabelPosition & {
  /** Time of the transaction, which account and merchant belong to as well. */
  readonly createdAt: Date;
  readonly accountId: string;
  readonly merchantId: string;
  readonly labelledAt: Date;
  readonly receivedAt: Date;
  /** Client of the key that reported it; null for a row that predates the column. */
  readonly client: string | null;
  readonly identity: string | null;
  readonly note: string | null;
};

export type LabelFilter = {
  readonly accountId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly transactionId?: string | undefined;
  readonly label?: LabelValue | undefined;
  readonly source?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** The client whose transactions are seen; null for all. */
  readonly client: string | null;
};

type LabelRow = Omit<StoredLabel, 'labelledAtMs'>;

const COLUMNS = `l.transaction_id as "transactionId", l.created_at as "createdAt", l.account_id as "accountId",
  l.merchant_id as "merchantId", l.label, l.labelled_at as "labelledAt", l.source, l.received_at as "receivedAt",
  l.client, l.identity, l.note`;
const ORDER = 'l.labelled_at desc, l.transaction_id desc, l.label desc, l.source desc';

export type LabelSearch = {
  readonly page: PreparedSearch;
  readonly boundary: PreparedSearch | null;
};

/** The statements of one slice, out of fixed parts only; values are always parameters. */
export function labelSearch(
  filter: LabelFilter,
  before: LabelPosition | undefined,
  rows: number,
): LabelSearch {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const examined = filter.client === null ? SLICE_ROWS_EXAMINED_MAX : JOINED_ROWS_EXAMINED_MAX;
  const way = `select l.* from market.labels l ${where(wayIn(filter, before, parameter))} order by ${ORDER}`;
  const boundary: PreparedSearch = {
    statement: {
      name: UNNAMED,
      text: `select ${COLUMNS} from (${way} offset ${examined - 1} limit 1) l`,
    },
    values: [...values],
  };
  const { joins, conditions } = residual(filter, parameter);
  const page: PreparedSearch = {
    statement: {
      name: UNNAMED,
      text: `select ${COLUMNS} from (${way} limit ${examined}) l ${joins} ${where(conditions)}
              order by ${ORDER} limit ${parameter(rows)}`,
    },
    values,
  };
  return { page, boundary: joins === '' && conditions.length === 0 ? null : boundary };
}

const where = (conditions: readonly string[]) =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;

type Parameter = (value: unknown) => string;

/** What an index knows. A label is never older than its transaction, which leaves out the months after its time. */
function wayIn(
  { accountId, merchantId, transactionId, fromMs, toMs }: LabelFilter,
  before: LabelPosition | undefined,
  parameter: Parameter,
): string[] {
  const conditions: string[] = [];
  if (transactionId !== undefined) {
    const createdAt = isoTime(createdAtMsOf(transactionId) ?? 0);
    conditions.push(`l.transaction_id = ${parameter(transactionId)}`);
    conditions.push(`l.created_at = ${parameter(createdAt)}`);
  } else if (accountId !== undefined) conditions.push(`l.account_id = ${parameter(accountId)}`);
  else if (merchantId !== undefined) conditions.push(`l.merchant_id = ${parameter(merchantId)}`);
  if (fromMs !== undefined) conditions.push(`l.labelled_at >= ${parameter(isoTime(fromMs))}`);
  if (toMs !== undefined) {
    const to = parameter(isoTime(toMs));
    conditions.push(`l.labelled_at < ${to} and l.created_at < ${to}`);
  }
  if (before !== undefined) {
    const at = parameter(isoTime(before.labelledAtMs));
    const rest = [before.transactionId, before.label, before.source].map(parameter).join(', ');
    conditions.push(`(l.labelled_at, l.transaction_id, l.label, l.source) < (${at}, ${rest})`);
    conditions.push(`l.created_at <= ${at}`);
  }
  return conditions;
}

/** What no index knows: it is applied to the rows that are looked at. */
function residual(
  { accountId, merchantId, transactionId, label, source, client }: LabelFilter,
  parameter: Parameter,
): { readonly joins: string; readonly conditions: string[] } {
  const conditions: string[] = [];
  const equals = (column: string, value: string | undefined) => {
    if (value !== undefined) conditions.push(`l.${column} = ${parameter(value)}`);
  };
  if (transactionId !== undefined) equals('account_id', accountId);
  if (transactionId !== undefined || accountId !== undefined) equals('merchant_id', merchantId);
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

export type LabelSlice = {
  readonly rows: StoredLabel[];
  /** Where the reading stopped; null when nothing is left. */
  readonly reached: LabelPosition | null;
};

export async function searchStoredLabels(
  { query }: Pick<Database, 'query'>,
  filter: LabelFilter,
  before: LabelPosition | undefined,
  rowsMax: number,
): Promise<LabelSlice> {
  const { page, boundary } = labelSearch(filter, before, rowsMax);
  const rows = (await query<LabelRow>(page.statement, page.values)).map(toStoredLabel);
  const last = rows.at(-1);
  if (rows.length === rowsMax) return { rows, reached: last ?? null };
  if (boundary === null) return { rows, reached: null };
  const [end] = (await query<LabelRow>(boundary.statement, boundary.values)).map(toStoredLabel);
  if (end === undefined) return { rows, reached: null };
  // Where labels have arrived between the two statements, the end may be before a label that was found.
  return { rows, reached: last === undefined || isAfter(end, last) ? end : last };
}

/** Whether one label is listed after another, of another transaction or time. */
function isAfter(one: LabelPosition, other: LabelPosition): boolean {
  const older = other.labelledAtMs - one.labelledAtMs;
  return older === 0 ? one.transactionId < other.transactionId : older > 0;
}

const historyStatement = {
  name: 'read-label-history',
  text: `select ${COLUMNS} from (select * from market.labels l where l.transaction_id = $1 and l.created_at = $2
                                 order by l.labelled_at desc, l.label, l.source limit $3) l
          order by l.labelled_at, l.label desc, l.source desc`,
};

/** Labels of a transaction, oldest first, so that the last one is current; of more than `rowsMax` the newest. */
export async function readStoredHistory(
  { query }: Pick<Database, 'query'>,
  transactionId: string,
  createdAtMs: number,
  rowsMax: number,
): Promise<StoredLabel[]> {
  const values = [transactionId, isoTime(createdAtMs), rowsMax];
  return (await query<LabelRow>(historyStatement, values)).map(toStoredLabel);
}

function toStoredLabel(row: LabelRow): StoredLabel {
  return { ...row, labelledAtMs: row.labelledAt.getTime() };
}
