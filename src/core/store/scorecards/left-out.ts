/**
 * Labels that take part in no solve, by the controls in force as a night begins: labels of a frozen corridor, of a stopped client, and
 * of a control `unlearnt`. Rows of their payments stay stored, so that the labels count again once the control ends.
 */
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf, timeText } from '../../../kit/database/statement.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { Matured } from './read-payments.ts';

/** `now()` stands still in a transaction, so that all rows of a night are asked for the same controls. */
const LEAVES_OUT = `(c.kind = 'freeze' and c.scope like 'corridor:%' or c.kind = 'stop' and c.scope like 'client:%' or c.kind = 'unlearnt')
  and coalesce(c.ends_at, 'infinity') > now()`;
/** A control `unlearnt` is about labels that were received from this time until the control was set. */
const SINCE = `(c.set_at - (c.value ->> 'received_days')::int4 * interval '24 hours')`;

const list = rowsOf<{ said: string }, []>(
  'list-labels-left-out',
  `select c.kind || ':' || c.scope ||
          case c.kind when 'unlearnt' then ' ' || ${timeText(SINCE)} || '/' || ${timeText('c.set_at')} else '' end as said
     from market.controls c where ${LEAVES_OUT}`,
);

/** Controls that leave labels out, in words: `freeze:corridor:US-EG`. */
export const listLeftOut = async (query: Query): Promise<string[]> =>
  (await list(query)).map(({ said }) => said).sort();

/**
 * A condition for payments that take part in no solve, as frauds or as honest payments. A scalar subselect runs for each row: for an
 * `exists` the planner may read all transactions.
 * @param alias of rows with the id and the time of a payment
 */
const isLeftOut = (alias: string): string => `((
  select true from market.transactions p join market.controls c on ${LEAVES_OUT}
   where p.transaction_id = ${alias}.transaction_id and p.created_at = ${alias}.created_at
     and (c.kind = 'freeze' and c.scope = 'corridor:' || p.corridor
       or c.kind = 'stop' and c.scope = 'client:' || p.client
       or exists (
         select from market.labels l
          where l.transaction_id = p.transaction_id and l.created_at = ${alias}.created_at
            and (c.kind = 'stop' and c.scope = 'client:' || l.client
              or c.kind = 'unlearnt' and c.scope in ('market', 'corridor:' || p.corridor, 'client:' || l.client)
                 and l.received_at >= ${SINCE} and l.received_at < c.set_at))) limit 1) is true)`;

/** Days between the maturity of labels and a solve. Less: a fraud whose label comes a day late is learnt as honest. */
export const GUARD_DAYS = 1;

/** The payments that are matured at 00:00 of a day. @param leftOut controls that leave labels out */
export const maturedBy = (
  { day, maturityDays }: { readonly day: number; readonly maturityDays: number },
  days: number,
  leftOut: readonly string[],
): Matured => ({
  ...{ fromMs: (day - days) * DAY_MS, toMs: (day - maturityDays - GUARD_DAYS) * DAY_MS },
  knownByMs: day * DAY_MS,
  // Without such controls no payment is checked.
  isOut: leftOut.length > 0 ? isLeftOut : () => 'false',
});
