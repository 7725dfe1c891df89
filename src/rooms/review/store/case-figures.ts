/** Figures of the review: what waits, how fast cases arrive and are handled, and who handles them. */
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';

type Queries = Pick<Database, 'query'>;

const waitingStatement: Statement = {
  name: 'count-waiting-cases',
  text: `select priority, corridor, count(*)::int4 as waiting,
                (count(*) filter (where state = 'open' and coalesce(locked_until > now(), false)))::int4 as claimed,
                (count(*) filter (where due_at < now()))::int4 as missed,
                (count(*) filter (where due_at >= now() and due_at < now() + interval '30 minutes'))::int4 as near,
                extract(epoch from avg(now() - opened_at))::float8 as "ageSeconds",
                extract(epoch from max(now() - opened_at))::float8 as "oldestSeconds"
           from market.review_cases where state in ('open', 'confirming') group by 1, 2 order by 1, 2`,
};

export type WaitingCases = {
  readonly priority: number;
  readonly corridor: string;
  readonly waiting: number;
  readonly claimed: number;
  /** Deadlines that have passed. */
  readonly missed: number;
  /** Deadlines within 30 minutes. */
  readonly near: number;
  readonly ageSeconds: number;
  readonly oldestSeconds: number;
};

/** Cases that are not decided, by priority and corridor. */
export async function countWaiting({ query }: Queries): Promise<WaitingCases[]> {
  return await query<WaitingCases>(waitingStatement);
}

const deadlinesStatement: Statement = {
  name: 'list-case-deadlines',
  text: `select priority, extract(epoch from due_at - now())::float8 as "leftSeconds"
           from market.review_cases where state = 'open'
          order by priority, due_at, transaction_id limit $1`,
};

/** Time left of open cases, in the order of work. */
export async function listDeadlines({ query }: Queries, rowsMax: number) {
  return await query<{ readonly priority: number; readonly leftSeconds: number }>(
    deadlinesStatement,
    [rowsMax],
  );
}

const arrivalsStatement: Statement = {
  name: 'count-case-arrivals',
  text: `select priority, (count(*) / 24.0)::float8 as "perHour" from market.review_cases
          where opened_at > now() - interval '1 day' group by 1`,
};

/** Cases opened an hour, by priority, over the last day. */
export async function countArrivals({ query }: Queries): Promise<ReadonlyMap<number, number>> {
  const rows = await query<{ priority: number; perHour: number }>(arrivalsStatement);
  return new Map(rows.map(({ priority, perHour }) => [priority, perHour]));
}

// A ring claims and decides its cases at one moment, so they do not say how long a review takes.
const handlingStatement: Statement = {
  name: 'measure-case-handling',
  text: `select (percentile_cont(0.5) within group (order by extract(epoch from decided_at - claimed_at))
                   filter (where decided_at > claimed_at))::float8 as "medianSeconds",
                (count(*) filter (where decided_at > claimed_at))::int4 as handled,
                count(*)::int4 as decided, count(distinct decided_by)::int4 as officers,
                (count(*) filter (where decided_at <= due_at))::int4 as "inTime"
           from market.final_decisions where final_at > now() - $1::int4 * interval '1 day'`,
};

export type Handling = {
  /** Median from claim to decision; null where no case was claimed and then decided. */
  readonly medianSeconds: number | null;
  /** Cases of which it is the median. */
  readonly handled: number;
  readonly decided: number;
  readonly officers: number;
  readonly inTime: number;
};

/** How the decisions of the last days were made. */
export async function measureHandling({ query }: Queries, days: number): Promise<Handling> {
  const [row] = await query<Handling>(handlingStatement, [days]);
  if (row === undefined) throw new Error('an aggregate has one row');
  return row;
}

const dueNextStatement: Statement = {
  name: 'list-cases-due-next',
  // Lateral, so that each priority is a range of the queue's index.
  text: `select c.transaction_id as "transactionId", c.priority, c.corridor, c.opened_at as "openedAt", c.due_at as "dueAt",
                case when c.locked_until > now() then c.locked_by end as "lockedBy"
           from generate_series(0, 5) p
          cross join lateral (
            select * from market.review_cases
             where priority = p and state <> 'closed' and state in ('open', 'confirming')
             order by due_at, transaction_id limit $1) c
          order by c.due_at, c.transaction_id limit $1`,
};

type DueCase = {
  readonly transactionId: string;
  readonly priority: number;
  readonly corridor: string;
  readonly openedAt: Date;
  readonly dueAt: Date;
  readonly lockedBy: string | null;
};

/** Cases that are not decided, those first that are due soonest. */
export async function listDueNext({ query }: Queries, rowsMax: number): Promise<DueCase[]> {
  return await query<DueCase>(dueNextStatement, [rowsMax]);
}

const atWorkStatement: Statement = {
  name: 'list-officers-at-work',
  text: `select who as officer, sum(claimed)::int4 as claimed, sum(decided)::int4 as decided,
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
};

type AtWork = {
  readonly officers: number;
  /** By all of them, within the last hour. */
  readonly decided: number;
  readonly named: readonly {
    readonly officer: string;
    readonly claimed: number;
    readonly decided: number;
  }[];
};

/** Who has claimed a case, or decided one within the last hour; the busiest are named. */
export async function listAtWork({ query }: Queries, rowsMax: number): Promise<AtWork> {
  type Row = AtWork['named'][number] & { readonly officers: number; readonly all: number };
  const rows = await query<Row>(atWorkStatement, [rowsMax]);
  return {
    ...{ officers: rows[0]?.officers ?? 0, decided: rows[0]?.all ?? 0 },
    named: rows.map(({ officer, claimed, decided }) => ({ officer, claimed, decided })),
  };
}

const nearStatement: Statement = {
  name: 'list-cases-near-deadline',
  text: `select c.transaction_id, 'P' || c.priority as priority, c.due_at, c.opened_at, c.state, c.assignee,
                case when c.locked_until > now() then c.locked_by end as locked_by, c.account_id, c.merchant_id, c.corridor,
                c.score, c.verdict, now() as at
           from market.review_cases c
          where c.state in ('open', 'confirming') and c.due_at <= now() + $1::int4 * interval '1 minute'
            and c.due_at > now() - $2::int4 * interval '1 hour'
          order by c.due_at, c.transaction_id limit $3`,
};

/** A case as its event tells of it. */
type NearCase = {
  readonly transaction_id: string;
  readonly corridor: string;
  readonly due_at: Date;
  /** Postgres' clock. */
  readonly at: Date;
};

/** Cases without a decision whose deadline comes within some minutes, or passed within some hours. */
export async function listNearDeadline(
  query: Query,
  minutes: number,
  hours: number,
  rowsMax: number,
): Promise<NearCase[]> {
  return await query<NearCase>(nearStatement, [minutes, hours, rowsMax]);
}

// Whole days before today: today's is not over.
const loadStatement: Statement = {
  name: 'measure-review-load',
  text: `select coalesce(sum(count) filter (where outcome = 'accepted'), 0)::float8 as accepted,
                (select count(*)::float8 from market.review_cases
                  where opened_at >= (today - $1::int4)::timestamp at time zone 'UTC'
                    and opened_at < today::timestamp at time zone 'UTC') as cases
           from (select (now() at time zone 'UTC')::date as today) t
           left join market.daily_tallies on day >= today - $1::int4 and day < today
          group by today`,
};

/** Transactions and cases of the last whole UTC days. */
export async function measureLoad({ query }: Queries, days: number) {
  const [row] = await query<{ accepted: number; cases: number }>(loadStatement, [days]);
  return row ?? { accepted: 0, cases: 0 };
}

const overStatement: Statement = {
  name: 'count-overdue-cases',
  text: `select count(*)::int4 as cases from market.review_cases
          where state = 'open' and priority = $1
            and opened_at < now() - $2::int4 * interval '1 minute'`,
};

/** Open cases of a priority that are older than some minutes. */
export async function countOlder(
  { query }: Queries,
  priority: number,
  minutes: number,
): Promise<number> {
  return (await query<{ cases: number }>(overStatement, [priority, minutes]))[0]?.cases ?? 0;
}

const escalateStatement: Statement = {
  name: 'escalate-old-cases',
  text: `update market.review_cases c set escalated_by = 'engine', escalated_at = now()
           from (select transaction_id from market.review_cases
                  where state = 'open' and priority = $1 and escalated_by is null
                    and opened_at < now() - $2::int4 * interval '1 minute'
                  order by due_at, transaction_id limit $3 for update skip locked) old
          where c.transaction_id = old.transaction_id
         returning c.transaction_id as "transactionId"`,
};

/** Marks open cases that are older than some minutes; anybody may still claim them. */
export async function escalateOlder(
  query: Query,
  priority: number,
  minutes: number,
  rowsMax: number,
): Promise<string[]> {
  const values = [priority, minutes, rowsMax];
  const rows = await query<{ transactionId: string }>(escalateStatement, values);
  return rows.map(({ transactionId }) => transactionId);
}
