/** Payments of the past as a night reads them, in the snapshot of the night. Values in the texts of statements are the engine's own. */
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { readPages } from '../../../kit/database/snapshot.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import type { DayPayment } from '../../score/scorecard/day-counts.ts';
import type { LogOdds } from '../../score/scorecard/measures.ts';
import { labelInForce } from '../label-in-force.ts';
import { isoTime } from '../partitions/month-slice.ts';
import { toVector } from '../scores/score-values.ts';

/** Larger: a page takes more memory than the payments of a night may. */
const PAGE_ROWS = 1000;

/** @param withMetadata false where nobody reads a member */
const evidence = (
  withMetadata: boolean,
) => `t.transaction_id as id, t.account_id as "accountId", t.corridor, t.amount,
  t.currency, t.type, t.channel, t.device_id as "deviceId", t.ip_party as address, ${withMetadata ? 't.metadata' : 'null'} as metadata`;

/** SQL that bounds the rows of an alias to a range of times, also by their ids, with which the primary key begins. */
const between = (alias: string, fromMs: number, toMs: number) =>
  `${alias}.created_at >= '${isoTime(fromMs)}' and ${alias}.created_at < '${isoTime(toMs)}'
   and ${alias}.transaction_id >= '${lowestIdAt(fromMs)}' and ${alias}.transaction_id < '${lowestIdAt(toMs)}'`;

const SCORE = 's.verdict, s.risk, s.scorecard, s.margin, s.model, s.by_rules as "byRules"';

type PaymentRow = Omit<DayPayment, 'createdAtMs'> & { readonly id: string };
export type Payment = DayPayment & { readonly id: string };

const atTime = <Row extends { readonly id: string }>(row: Row) => ({
  ...row,
  createdAtMs: createdAtMsOf(row.id) ?? 0,
});

/** The scored payments of a range in the order of their ids, which is the order of both primary keys. */
export async function* readScored(
  query: Query,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  withMetadata: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly Payment[]> {
  const select = `
    select ${evidence(withMetadata)}, ${SCORE}
      from market.transactions t
      join market.scores s on s.transaction_id = t.transaction_id and s.created_at = t.created_at
     where ${between('t', fromMs, toMs)} and ${between('s', fromMs, toMs)}
     order by t.transaction_id`;
  // The planner multiplies the selectivities of two ranges that say the same, expects one row, and compares each payment with each score.
  await query({ text: 'set local enable_nestloop = off' });
  for await (const rows of readPages<PaymentRow>(query, select, PAGE_ROWS, signal)) {
    yield rows.map(atTime);
  }
  await query({ text: 'set local enable_nestloop = on' });
}

/** Matured payments, and what was known of them. */
export type Matured = {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** Labels are known up to this time. */
  readonly knownByMs: number;
  /** A condition of rows by their alias: payments that take part in no solve. */
  readonly isOut: (alias: string) => string;
};

/** The label of a row that was known at a time. */
export const labelOf = (alias: string, knownByMs: number) =>
  labelInForce(
    `l.transaction_id = ${alias}.transaction_id and l.created_at = ${alias}.created_at and l.labelled_at <= '${isoTime(knownByMs)}'`,
  );

/**
 * Scored payments of a range whose label known at `knownByMs` is fraud. The partial index of fraud labels finds the frauds, and the primary
 * key finds each row.
 */
export async function* readFrauds(
  query: Query,
  matured: Matured,
  withMetadata: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly Payment[]> {
  const { fromMs, toMs, knownByMs, isOut } = matured;
  const select = `
    select ${evidence(withMetadata)}, ${SCORE}
      from (select distinct l.transaction_id, l.created_at from market.labels l
             where l.label = 'fraud' and l.created_at >= '${isoTime(fromMs)}' and l.created_at < '${isoTime(toMs)}'
               and l.labelled_at <= '${isoTime(knownByMs)}') f
     cross join lateral (
       select * from market.scores s
        where s.transaction_id = f.transaction_id and s.created_at = f.created_at limit 1) s
     cross join lateral (
       select * from market.transactions t
        where t.transaction_id = f.transaction_id and t.created_at = f.created_at limit 1) t
     where ${labelOf('f', knownByMs)} = 'fraud' and not ${isOut('f')}`;
  for await (const rows of readPages<PaymentRow>(query, select, PAGE_ROWS, signal)) {
    yield rows.map(atTime);
  }
}

export type VectorRow = {
  readonly id: string;
  readonly vector: Float64Array;
  readonly accountId: string;
  /** Serial of the table that judged the payment, and the log-odds of fraud by that table. */
  readonly scorecard: number | null;
  readonly ruleSet: string;
  /** Points of the rules alone; null where a model of 1.0.0 decided. */
  readonly points: number | null;
  /** Name of the model that decided by the risk; null if the rules decided. */
  readonly model: string | null;
  readonly risk: number;
  /** Null: the payment takes part in no solve. */
  readonly isFraud: boolean | null;
  readonly margin: number | null;
};

/** Logged vectors by id; ids without a score are left out. @param ids in an order that the rows keep */
export async function* readVectorRows(
  query: Query,
  ids: readonly string[],
  { knownByMs, isOut }: Pick<Matured, 'knownByMs' | 'isOut'>,
  signal: AbortSignal,
): AsyncGenerator<readonly VectorRow[]> {
  for (let from = 0; from < ids.length; from += PAGE_ROWS) {
    signal.throwIfAborted();
    const page = ids.slice(from, from + PAGE_ROWS);
    const times = page.map((id) => createdAtMsOf(id) ?? 0);
    const rows = await query<Omit<VectorRow, 'vector'> & { readonly features: Buffer }>(
      {
        text: `select u.id, s.account_id as "accountId", s.features, s.scorecard, s.margin, s.model, s.risk,
                case when not ${isOut('s')} then coalesce(${labelOf('s', knownByMs)} = 'fraud', false) end as "isFraud",
                s.rule_set as "ruleSet", coalesce(s.by_rules, case when s.model is null then s.score end) as points
           from unnest($1::uuid[], $2::timestamptz[]) with ordinality u (id, created_at, nth)
          cross join lateral (
            select * from market.scores s
             where s.transaction_id = u.id and s.created_at = u.created_at and s.created_at between $3 and $4 limit 1) s
          order by nth`,
      },
      [
        uuidArray(page),
        timestampArray(times),
        isoTime(Math.min(...times)),
        isoTime(Math.max(...times)),
      ],
    );
    yield rows.map(({ features, ...row }) => ({ ...row, vector: toVector(features) }));
  }
}

export type StoredRow = LogOdds & {
  readonly id: string;
  readonly scorecard: number;
  readonly share: number | null;
  readonly buckets: Buffer;
  readonly fired: readonly string[];
  readonly isFraud: boolean;
};

const keptRows = (
  { fromMs, toMs, isOut }: Matured,
  except: readonly number[],
) => `from market.scorecard_rows r
     where r.created_at >= '${isoTime(fromMs)}' and r.created_at < '${isoTime(toMs)}' and ${notOnDays(except)}
       and not ${isOut('r')}`;

export async function countKeptRows(
  query: Query,
  matured: Matured,
  except: readonly number[],
): Promise<number> {
  const text = `select count(*)::int4 as rows ${keptRows(matured, except)}`;
  const [counted] = await query<{ rows: number }>({ text });
  return counted?.rows ?? 0;
}

/** Kept rows of a range in the order of their ids. @param except days whose rows are chosen again */
export async function* readKeptRows(
  query: Query,
  matured: Matured,
  except: readonly number[],
  signal: AbortSignal,
): AsyncGenerator<StoredRow> {
  const select = `
    select r.transaction_id as id, r.scorecard, r.share, r.log_odds as "logOdds", r.label_log_odds as "labelLogOdds", r.buckets, r.fired,
           coalesce(${labelOf('r', matured.knownByMs)} = 'fraud', false) as "isFraud"
      ${keptRows(matured, except)}
     order by r.transaction_id`;
  for await (const rows of readPages<StoredRow>(query, select, PAGE_ROWS, signal)) yield* rows;
}

/** SQL of rows `r` that were created on none of the days. */
export const notOnDays = (days: readonly number[]) =>
  `(r.created_at at time zone 'UTC')::date - date '1970-01-01' <> all ('{${days.join(',')}}'::int4[])`;
