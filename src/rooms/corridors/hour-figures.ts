/** Figures of the last hour by corridor, from the newest rows. A reading takes a bounded time, whatever the traffic. */

import { readControls } from '../../core/store/controls/controls.ts';
import { findTails, type Tail, tailRows } from '../../core/store/partitions/tails.ts';
import type { Database } from '../../kit/database/pool.ts';
import { disputedSince, disputesText } from './disputes.ts';
import { type HourFigures, type Suggestion, suggestionsOf } from './suggestions.ts';

/** Blocks read from the end of a month, 4 MiB. Fewer: busy traffic is judged by minutes; more: a slower reading. */
const TAIL_BLOCKS = 512;
/** Most dead letters that are read, and most cases of a priority: the oldest cases, which are due first. */
const ROWS_MAX = 5000;

// Reads the tables of the room `review` directly, as the review policy says which cases are too old.
const textOf = (transactions: readonly Tail[], scores: readonly Tail[]) => `
  with accepted as materialized (
    select corridor, account_id, received_at from (${tailRows('transactions', transactions, 'corridor, account_id, received_at', 2)}) tail
     where received_at > now() - interval '1 hour'),
  scored as (
    select corridor, count(*)::int4 as scored, (count(*) filter (where verdict = 'decline'))::int4 as declined
      from (${tailRows('scores', scores, 'corridor, verdict, scored_at', 2 + transactions.length)}) tail
     where scored_at > now() - interval '1 hour' group by corridor),
  failed as (
    select corridor, count(*)::int4 as dead_letters
      from (select corridor from market.dead_letters
             where failed_at > now() - interval '1 hour' and replayed_at is null order by failed_at desc limit ${ROWS_MAX}) newest
     group by corridor),
  disputed as (${disputesText()}),
  overflow as (
    select corridor, (count(*) filter (where action = 'suggest_throttle'))::int4 as overdue,
           (count(*) filter (where action = 'suggest_tightening'))::int4 as waiting
      from (select (rule ->> 'priority')::int2 as priority, action, min((rule ->> 'older_than_minutes')::int4) as minutes
              from (select policy from market.review_policies order by version desc limit 1) newest,
                   jsonb_array_elements(policy -> 'overflow') as rule, jsonb_array_elements_text(rule -> 'actions') as action
             where action in ('suggest_throttle', 'suggest_tightening') group by 1, 2) rules,
           lateral (select corridor, opened_at from market.review_cases c
                     where state = 'open' and c.priority = rules.priority
                     order by due_at, transaction_id limit ${ROWS_MAX}) first_due
     where opened_at < now() - minutes * interval '1 minute' group by corridor),
  accounts as (
    select corridor, count(distinct account_id)::int4 as accounts,
           count(*) / greatest(1, extract(epoch from now() - (select min(received_at) from accepted)))::float8 as per_second
      from accepted group by corridor)
  select corridor, coalesce(scored, 0) as scored, coalesce(declined, 0) as declined,
         coalesce(dead_letters, 0) as "deadLetters", coalesce(disputes, 0) as disputes,
         coalesce(overdue, 0) as overdue, coalesce(waiting, 0) as waiting, coalesce(per_second, 0) as "perSecond", coalesce(accounts, 0) as accounts,
         (select count(distinct account_id)::int4 from accepted) as "allAccounts"
    from scored full join failed using (corridor) full join disputed using (corridor) full join overflow using (corridor) full join accounts using (corridor)
   order by corridor`;

export async function readSuggestions(
  database: Pick<Database, 'query'>,
  nowMs: number,
): Promise<Suggestion[]> {
  const transactions = await findTails(database, 'transactions', nowMs, TAIL_BLOCKS);
  const scores = await findTails(database, 'scores', nowMs, TAIL_BLOCKS);
  const values = [disputedSince(nowMs), ...[...transactions, ...scores].map(({ from }) => from)];
  const text = textOf(transactions, scores);
  const figures = await database.query<HourFigures>({ text }, values);
  return suggestionsOf(figures, await readControls(database));
}
