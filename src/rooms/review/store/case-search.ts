/** Pages of cases: those that wait in the order of work, closed ones newest first. */
import { isoTime, UNNAMED } from '../../../core/store/partitions/month-slice.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { CASE_STATES, CasePosition, StoredCase } from '../case.ts';
import { CASE_COLUMNS } from './cases.ts';

export type CaseFilter = {
  /** Absent: all but closed ones. */
  readonly state?: (typeof CASE_STATES)[number] | undefined;
  readonly corridor?: string | undefined;
  readonly priority?: number | undefined;
  readonly assignee?: string | undefined;
  readonly lockedBy?: string | undefined;
  readonly accountId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly deviceId?: string | undefined;
};

const IS_LOCKED = 'c.locked_by is not null and c.locked_until > now()';
const STATES: Readonly<Record<(typeof CASE_STATES)[number], string>> = {
  open: `c.state = 'open' and (c.locked_until is null or c.locked_until <= now())`,
  claimed: `c.state = 'open' and ${IS_LOCKED}`,
  confirming: `c.state = 'confirming'`,
  decided: `c.state = 'decided'`,
  closed: `c.state = 'closed'`,
};

export async function searchCases(
  { query }: Pick<Database, 'query'>,
  filter: CaseFilter,
  after: CasePosition | undefined,
  rows: number,
): Promise<StoredCase[]> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const isClosed = filter.state === 'closed';
  const conditions = [
    // Both say the same: one is the predicate of the queue, and the other a column of the indexes of parties.
    isClosed
      ? `c.state = 'closed' and c.closed_at is not null`
      : `c.state <> 'closed' and c.closed_at is null`,
    ...(filter.state === undefined ? [] : [STATES[filter.state]]),
    ...(filter.lockedBy === undefined ? [] : [IS_LOCKED]),
  ];
  const equal = {
    ...{
      'c.corridor': filter.corridor,
      'c.priority': filter.priority,
      'c.assignee': filter.assignee,
    },
    ...{ 'c.locked_by': filter.lockedBy, 'c.account_id': filter.accountId },
    ...{ 'c.merchant_id': filter.merchantId, 'c.device_id': filter.deviceId },
  };
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) conditions.push(`${column} = ${parameter(value)}`);
  }
  if (after !== undefined) {
    const place = `${parameter(isoTime(after.atMs))}::timestamptz, ${parameter(after.id)}::uuid`;
    conditions.push(
      isClosed
        ? `(c.closed_at, c.transaction_id) < (${place})`
        : `(c.priority, c.due_at, c.transaction_id) > (${parameter(Number(after.group))}::smallint, ${place})`,
    );
  }
  const order = isClosed
    ? 'c.closed_at desc, c.transaction_id desc'
    : 'c.priority, c.due_at, c.transaction_id';
  const text = `select ${CASE_COLUMNS} from market.review_cases c where ${conditions.join(' and ')}
                 order by ${order} limit ${parameter(rows)}`;
  return await query<StoredCase>({ name: UNNAMED, text }, values);
}
