/** The table review_cases: its columns, how cases open, the rows that steps lock and write, and lists. */
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import { textArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { anyOf, firstOf, rowsOf, timeColumns, timeText } from '../../../kit/database/statement.ts';
import { keysOf } from '../../../kit/words/keys-of.ts';
import {
  CASE_COLUMNS,
  type CASE_STATES,
  type CaseProgress,
  type NewCase,
  type StoredCase,
} from '../case.ts';
import { UNDECIDED } from '../case-steps.ts';

const { copied, opening, progress, times } = CASE_COLUMNS;
export const COPIED_NAMES = Object.keys(copied);

/** A column of the table `c` as the API writes its value. */
function readColumn([name, type]: readonly [string, string]): string {
  if (type === 'timestamptz') return timeColumns('c', name);
  return ['numeric', 'date'].includes(type) ? `c.${name}::text as ${name}` : `c.${name}`;
}

const COLUMNS = `${Object.entries({ ...opening, ...progress, ...times })
  .map(readColumn)
  .join(', ')},
  (select p.policy ->> 'four_eyes_amount' from market.review_policies p where p.version = c.policy) as four_eyes_amount,
  ${timeText('clock_timestamp()')} as now`;

/** Rows of review_cases, whose name in the rest of the statement is `c`. */
const SELECT = `select ${COLUMNS} from market.review_cases c`;

export const readCase = firstOf<StoredCase, [id: string]>(
  'read-review-case',
  `${SELECT} where c.transaction_id = $1`,
);

/** Locks the cases that these transactions have, until the database transaction ends. */
export const lockCases = rowsOf<StoredCase, [ids: readonly string[]]>(
  'lock-review-cases',
  `${SELECT} where c.transaction_id = any ($1::uuid[]) order by c.transaction_id for update`,
);

const IS_FINAL = `c.state = 'decided' and c.final_at <= now()`;

export const hasDecided = anyOf(
  'has-decided-cases',
  `from market.review_cases c where ${IS_FINAL}`,
);

export const lockDecided = rowsOf<DecidedCase, [rowsMax: number]>(
  'lock-decided-cases',
  `select ${COLUMNS}, k.client, k.identity
           from market.review_cases c left join market.api_keys k on k.key_id = c.decided_by_key
          where ${IS_FINAL}
          order by c.final_at limit $1 for update of c skip locked`,
);

/** A case whose decision is final, with client and person of the key that decided. */
export type DecidedCase = StoredCase & {
  readonly client: string | null;
  readonly identity: string | null;
};

const NEW_NAMES = keysOf(opening);
/** The cases that a statement is given, a text array a column; rows of JSON take 30 % longer (1,000 cases). */
const GIVEN = `(select ${NEW_NAMES.map((name) => `${name}::${opening[name]}`).join(', ')}
           from unnest(${NEW_NAMES.map((_, index) => `$${index + 1}::text[]`).join(', ')}) as u (${NEW_NAMES.join(', ')})) n`;
/** Columns that a statement returns of a case that it opened, opened again or made urgent. */
const OPENED =
  'c.transaction_id, c.priority, c.source, c.state, c.market_amount::text as market_amount';
/** An open case that somebody has left to a risk officer. */
const IS_LEFT = `c.state = 'open' and c.escalated_by <> 'engine'`;

// A dispute makes an older case urgent, and opens one again that is decided or ended otherwise than as fraud. Any other source
// changes nothing where there is a case.
const openStatement: Statement = {
  name: 'open-review-cases',
  text: `
    insert into market.review_cases as c (${NEW_NAMES.join(', ')})
    select * from ${GIVEN} order by transaction_id
    on conflict (transaction_id) do update
       set source = excluded.source, priority = excluded.priority, due_at = excluded.due_at, policy = excluded.policy,
           opened_at = now(), opened_by = excluded.opened_by, score = excluded.score, verdict = excluded.verdict,
           reasons = excluded.reasons, market_amount = excluded.market_amount, market_currency = excluded.market_currency,
           rate_day = excluded.rate_day, state = 'open', claimed_at = case when c.state = 'open' then c.claimed_at end,
           escalated_by = case when ${IS_LEFT} then c.escalated_by end,
           escalated_at = case when ${IS_LEFT} then c.escalated_at end,
           ${Object.keys(UNDECIDED)
             .map((name) => `${name} = null`)
             .join(', ')}, closed_at = null
     where excluded.source = 'dispute' and (c.source <> 'dispute' or c.state <> 'open')
       and c.disposition is distinct from 'fraud'
    returning ${OPENED}`,
};

// A decision that says fraud stands, unless it is undone or given back before it is final: the case is urgent then.
const urgeStatement: Statement = {
  name: 'urge-decided-cases',
  text: `
    update market.review_cases c
       set source = 'dispute', priority = n.priority, due_at = n.due_at, policy = n.policy,
           market_currency = n.market_currency, market_amount = n.market_amount, rate_day = n.rate_day
      from ${GIVEN}
     where c.transaction_id = n.transaction_id and c.state in ('confirming', 'decided')
       and c.disposition = 'fraud' and c.source <> 'dispute'
    returning ${OPENED}`,
};

export type Opened = Pick<
  StoredCase,
  'transaction_id' | 'priority' | 'source' | 'state' | 'market_amount'
>;

/**
 * Opens one case a transaction, however often the transaction is named.
 * @param cases at most one a transaction
 * @returns those that are opened, opened again or urgent now
 */
export async function openCases(query: Query, cases: readonly NewCase[]): Promise<Opened[]> {
  if (cases.length === 0) return [];
  const opened = await query<Opened>(openStatement, columnsOf(cases));
  const disputes = cases.filter(({ source }) => source === 'dispute');
  if (disputes.length === 0) return opened;
  return [...opened, ...(await query<Opened>(urgeStatement, columnsOf(disputes)))];
}

const columnsOf = (cases: readonly NewCase[]) =>
  NEW_NAMES.map((name) => textArray(cases.map((newCase) => textOf(newCase[name]))));

/** Reasons are codes, so an array of them needs no quotes. */
function textOf(value: NewCase[keyof typeof opening]): string | null {
  if (value === null) return null;
  return Array.isArray(value) ? `{${value.join(',')}}` : String(value);
}

const IS_FREE = '(c.locked_until is null or c.locked_until <= now())';
type Claimant = { readonly name: string; readonly isOfficer: boolean };
export type NextFilter = {
  readonly corridor?: string | undefined;
  readonly priority?: number | undefined;
};

/** Locks the most urgent case that the reviewer may claim, and waits for nobody. */
export async function lockNextCase(
  query: Query,
  { name, isOfficer }: Claimant,
  { corridor, priority }: NextFilter,
): Promise<StoredCase | undefined> {
  const filters = Object.entries({ corridor, priority }).filter(([, value]) => value !== undefined);
  // Each set of filters has a statement: a statement for all sets would read the queue from its beginning.
  const statement = {
    name: ['lock-next-review-case', ...filters.map(([column]) => column)].join('-of-'),
    text: `${SELECT}
            where c.state = 'open' and (c.assignee is null or c.assignee = $1)
              and (c.escalated_by is null or c.escalated_by = 'engine' or $2::boolean or c.assignee = $1) and ${IS_FREE}
             ${filters.map(([column], index) => `and c.${column} = $${index + 3}`).join(' ')}
            order by c.priority, c.due_at, c.transaction_id limit 1 for update skip locked`,
  };
  const values = [name, isOfficer, ...filters.map(([, value]) => value)];
  return (await query<StoredCase>(statement, values))[0];
}

const writeStatement: Statement = {
  name: 'write-review-cases',
  text: `update market.review_cases c set ${Object.keys(progress)
    .map((name) => `${name} = n.${name}`)
    .join(', ')}
           from jsonb_populate_recordset(null::market.review_cases, $1::jsonb) n
          where c.transaction_id = n.transaction_id`,
};

/** Writes what steps changed. @param query of the database transaction that locked the rows */
export async function writeCases(
  query: Query,
  cases: readonly (CaseProgress & Pick<StoredCase, 'transaction_id'>)[],
): Promise<void> {
  await query(writeStatement, [JSON.stringify(cases)]);
}

/** Columns of which a list may have one value. */
type CaseFilter = {
  readonly [Name in
    | 'corridor'
    | 'assignee'
    | 'locked_by'
    | 'account_id'
    | 'merchant_id'
    | 'device_id']?: string | undefined;
} & { readonly priority?: number | undefined };

/** Where a list goes on: behind a case of the queue (`group` is its priority), or behind a closed one. */
export type CasePosition = {
  readonly group: number | 'closed';
  readonly atMs: number;
  readonly id: string;
};

const IS_LOCKED = 'c.locked_by is not null and c.locked_until > now()';
const STATES: Readonly<Record<(typeof CASE_STATES)[number], string>> = {
  open: `c.state = 'open' and ${IS_FREE}`,
  claimed: `c.state = 'open' and ${IS_LOCKED}`,
  confirming: `c.state = 'confirming'`,
  decided: `c.state = 'decided'`,
  closed: `c.state = 'closed'`,
};

/** A page of cases: waiting cases in the order of work, closed cases newest first. */
export async function searchCases(
  query: Query,
  state: (typeof CASE_STATES)[number] | undefined,
  filter: CaseFilter,
  after: CasePosition | undefined,
  rows: number,
): Promise<StoredCase[]> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const isClosed = state === 'closed';
  const conditions = [
    // The state is the predicate of the queue's index, and closed_at a column of the indexes of parties.
    `c.state ${isClosed ? '=' : '<>'} 'closed' and c.closed_at is ${isClosed ? 'not null' : 'null'}`,
  ];
  if (state !== undefined) conditions.push(STATES[state]);
  if (filter.locked_by !== undefined) conditions.push(IS_LOCKED);
  for (const [column, value] of Object.entries(filter)) {
    if (value !== undefined) conditions.push(`c.${column} = ${parameter(value)}`);
  }
  if (after !== undefined) {
    const time = `${parameter(isoTime(after.atMs))}::timestamptz, ${parameter(after.id)}::uuid`;
    conditions.push(
      isClosed
        ? `(c.closed_at, c.transaction_id) < (${time})`
        : `(c.priority, c.due_at, c.transaction_id) > (${parameter(after.group)}::smallint, ${time})`,
    );
  }
  const order = isClosed
    ? 'c.closed_at desc, c.transaction_id desc'
    : 'c.priority, c.due_at, c.transaction_id';
  const text = `${SELECT} where ${conditions.join(' and ')} order by ${order} limit ${parameter(rows)}`;
  return await query<StoredCase>({ text }, values);
}
