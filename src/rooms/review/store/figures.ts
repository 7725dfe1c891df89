/** Figures of the review: what waits, how fast cases arrive and are handled, and who handles them. */
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf, timeColumns } from '../../../kit/database/statement.ts';
import { CASE_LIMITS } from '../case.ts';
import type { Waiting } from '../forecast.ts';
import type { OverflowRule } from '../policy.ts';
import { SHIFT_CHANGES_MAX, type Shift, type Status } from '../status.ts';

/** Cases that are not decided, by priority and corridor. */
export const countWaiting = rowsOf<Status['waiting'][number]>(
  'count-waiting-cases',
  `select 'P' || priority as priority, corridor, count(*)::int4 as waiting,
                (count(*) filter (where state = 'open' and coalesce(locked_until > now(), false)))::int4 as claimed,
                (count(*) filter (where due_at < now()))::int4 as missed,
                (count(*) filter (where due_at >= now() and due_at < now() + interval '30 minutes'))::int4 as near,
                extract(epoch from avg(now() - opened_at))::int4 as age_seconds,
                extract(epoch from max(now() - opened_at))::int4 as oldest_seconds
           from market.review_cases where state in ('open', 'confirming') group by 1, 2 order by 1, 2`,
);

/** Time left of open cases, in the order of work. */
export const listDeadlines = rowsOf<Waiting, [rowsMax: number]>(
  'list-case-deadlines',
  `select priority, extract(epoch from due_at - now())::float8 as "leftSeconds"
           from market.review_cases where state = 'open'
          order by priority, due_at, transaction_id limit $1`,
);

/** Cases opened an hour over the last day. */
export const countArrivals = rowsOf<{ priority: number; perHour: number }>(
  'count-case-arrivals',
  `select priority, (count(*) / 24.0)::float8 as "perHour" from market.review_cases
          where opened_at > now() - interval '1 day' group by 1`,
);

// A decision about several cases claims and decides them at one moment, so these cases do not say how long a review takes.
const IS_HANDLED = 'filter (where decided_at > claimed_at)';
const HANDLING_SECONDS = `case when count(*) ${IS_HANDLED} >= ${CASE_LIMITS.handledMin} then
    (percentile_cont(0.5) within group (order by extract(epoch from decided_at - claimed_at)) ${IS_HANDLED})::float8
  end as handling_seconds`;
const IN_TIME = '(count(*) filter (where decided_at <= due_at))::int4 as in_time';

/** How the decisions of the last days were made. */
export const measureHandling = onlyOf<Handling, [days: number]>(
  'measure-case-handling',
  `select case when lasted >= interval '${CASE_LIMITS.handledMinutesMin} minutes' then handling_seconds end as handling_seconds,
                decided, officers, in_time
           from (select ${HANDLING_SECONDS}, max(decided_at) - min(decided_at) as lasted, count(*)::int4 as decided,
                        count(distinct decided_by)::int4 as officers, ${IN_TIME}
                   from market.final_decisions where final_at > now() - $1::int4 * interval '1 day') measured`,
);

type Handling = Omit<Status['measured'], 'days' | 'reviews_per_hour'> & {
  readonly officers: number;
};

/**
 * Figures of one reviewer's decisions since a time. Decisions that stand are final, to be confirmed, or can be undone. The index
 * of final_at bounds the final decisions, as no decision is final before it is made.
 */
export const measureReviewer = onlyOf<ReviewerFigures, [name: string, since: Date]>(
  'measure-reviewer',
  `
    with decided as (
      select disposition, decided_at, claimed_at, due_at from market.final_decisions
       where final_at >= $2 and decided_by = $1 and decided_at >= $2
       union all
      select disposition, decided_at, claimed_at, due_at from market.review_cases
       where state in ('confirming', 'decided') and decided_by = $1 and decided_at >= $2)
    select (count(*) filter (where disposition = 'fraud'))::int4 as fraud,
           (count(*) filter (where disposition = 'legitimate'))::int4 as legitimate,
           (count(*) filter (where disposition = 'unsure'))::int4 as unsure, ${IN_TIME}, ${HANDLING_SECONDS},
           (select count(*)::int4
              from (select action, changed_at from market.audit_log where who = $1
                     order by audit_id desc limit ${SHIFT_CHANGES_MAX}) newest
             where action = 'case.undo' and changed_at >= $2) as undone
      from decided`,
);

type ReviewerFigures = Omit<Shift, 'reviewer' | 'since' | 'decided'>;

/** The person who has claimed a case; null once the lock has expired. */
const HOLDER = 'case when c.locked_until > now() then c.locked_by end as locked_by';

/** Cases that are not decided, those first that are due soonest. */
export const listDueNext = rowsOf<Status['due_next'][number], [rowsMax: number]>(
  'list-cases-due-next',
  // Lateral, so that each priority is a range of the queue's index.
  `select c.transaction_id, 'P' || c.priority as priority, c.corridor, ${timeColumns('c', 'opened_at', 'due_at')}, ${HOLDER}, c.decided_by, c.escalated_by
           from generate_series(0, 5) p
          cross join lateral (
            select * from market.review_cases
             where priority = p and state <> 'closed' and state in ('open', 'confirming')
             order by due_at, transaction_id limit $1) c
          order by c.due_at, c.transaction_id limit $1`,
);

/** Cases without a decision whose deadline comes within some minutes, or passed within some hours. */
export const listNearDeadline = rowsOf<NearCase, [minutes: number, hours: number, rowsMax: number]>(
  'list-cases-near-deadline',
  `select c.transaction_id, 'P' || c.priority as priority, ${timeColumns('c', 'due_at', 'opened_at')}, c.state,
                c.assignee, ${HOLDER}, c.account_id, c.merchant_id, c.corridor, c.score, c.verdict
           from market.review_cases c
          where c.state in ('open', 'confirming') and c.due_at <= now() + $1::int4 * interval '1 minute'
            and c.due_at > now() - $2::int4 * interval '1 hour'
          order by c.due_at, c.transaction_id limit $3`,
);

/** Decisions that wait for a second person, the newest first. */
export const listConfirming = rowsOf<
  Record<'id' | 'corridor' | 'who' | 'reason', string> & { readonly at: Date },
  [rowsMax: number]
>(
  'list-confirming-cases',
  `select transaction_id as id, corridor, decided_by as who, decision_reason as reason, decided_at as at
           from market.review_cases where state = 'confirming' order by decided_at desc limit $1`,
);

/** The fields that make the event of a case; the event has the other columns, too. */
type NearCase = Pick<Status['due_next'][number], 'transaction_id' | 'corridor' | 'due_at'>;

const listOfficers = rowsOf<
  AtWork['named'][number] & { readonly officers: number; readonly all: number },
  [rowsMax: number]
>(
  'list-officers-at-work',
  `select who as officer, sum(claimed)::int4 as claimed, sum(decided)::int4 as decided,
                (count(*) over ())::int4 as officers, (sum(sum(decided)) over ())::int4 as all
           from (
             select locked_by as who, 1 as claimed, 0 as decided
               from market.review_cases where state = 'open' and locked_until > now()
              union all
             select decided_by, 0, 1 from market.review_cases
              where state in ('confirming', 'decided') and decided_at > now() - interval '1 hour'
              union all
             select decided_by, 0, 1 from market.final_decisions
              where final_at > now() - interval '1 hour' and decided_at > now() - interval '1 hour') at_work
          group by who order by decided desc, claimed desc, who limit $1`,
);

type AtWork = {
  readonly officers: number;
  /** Decisions of all officers within the last hour. */
  readonly decided: number;
  readonly named: readonly Omit<Status['officers'][number], 'utilisation'>[];
};

/** The officers who have claimed a case, or decided a case within the last hour; the busiest are named. */
export async function listAtWork(query: Query, rowsMax: number): Promise<AtWork> {
  const rows = await listOfficers(query, rowsMax);
  return {
    officers: rows[0]?.officers ?? 0,
    decided: rows[0]?.all ?? 0,
    named: rows.map(({ officer, claimed, decided }) => ({ officer, claimed, decided })),
  };
}

/**
 * Transactions of the last whole UTC days, by the time of the transaction, and their cases; today is not over. Cases that people
 * raise come later than their transactions and count on the day of the case.
 */
export const measureLoad = onlyOf<{ accepted: number; cases: number }, [days: number]>(
  'measure-review-load',
  `select coalesce(sum(count) filter (where outcome = 'accepted'), 0)::float8 as accepted,
                (select count(*)::float8 from market.review_cases
                  where opened_at >= (today - $1::int4)::timestamp at time zone 'UTC'
                    and case when source in ('dispute', 'manual') then opened_at else created_at end
                        >= (today - $1::int4)::timestamp at time zone 'UTC'
                    and case when source in ('dispute', 'manual') then opened_at else created_at end
                        < today::timestamp at time zone 'UTC') as cases
           from (select (now() at time zone 'UTC')::date as today) t
           left join market.daily_tallies on day >= today - $1::int4 and day < today
          group by today`,
);

const countOlder = onlyOf<{ cases: number }, [priority: number, minutes: number]>(
  'count-overdue-cases',
  `select count(*)::int4 as cases from market.review_cases
          where state = 'open' and priority = $1
            and opened_at < now() - $2::int4 * interval '1 minute'`,
);

export type Overflow = { readonly rule: OverflowRule; readonly cases: number };

/** Each rule with the number of cases that meet it. */
export async function countOverflow(
  query: Query,
  rules: readonly OverflowRule[],
): Promise<Overflow[]> {
  const counted: Overflow[] = [];
  for (const rule of rules) {
    const { cases } = await countOlder(query, rule.priority, rule.older_than_minutes);
    counted.push({ rule, cases });
  }
  return counted;
}

/** Marks open cases that are older; anybody may still claim them. */
export const escalateOlder = rowsOf<
  { subject: string },
  [priority: number, minutes: number, rowsMax: number]
>(
  'escalate-old-cases',
  `update market.review_cases c set escalated_by = 'engine', escalated_at = now()
           from (select transaction_id from market.review_cases
                  where state = 'open' and priority = $1 and escalated_by is null
                    and opened_at < now() - $2::int4 * interval '1 minute'
                  order by due_at, transaction_id limit $3 for update skip locked) old
          where c.transaction_id = old.transaction_id
         returning c.transaction_id::text as subject`,
);
