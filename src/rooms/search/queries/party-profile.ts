/**
 * `GET /v1/accounts/{id}/profile`, `/v1/merchants/{id}/profile` and `/v1/devices/{id}/profile`: the party's activity up to a moment, summed
 * from the stored transactions themselves, not from the workers' cached profiles.
 */
import { z } from 'zod';
import type { ActiveParty } from '../../../core/domain/transaction.ts';
import {
  storedTransactionSchema,
  toTransactionJson,
} from '../../../core/domain/transaction-record.ts';
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { type Databases, readFrom } from '../../../kit/database/replica/choose-database.ts';
import { isPrimaryAway } from '../../../kit/process/primary-away.ts';
import { shown, timeParameter } from '../../../kit/words/list-parameters.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { find } from './search.ts';

const RECENT_TRANSACTIONS = 20;
/** Most rows that a profile sums, the newest: a busy merchant costs a bounded read. */
const ACTIVITY_ROWS_MAX = 100_000;
const ACTIVITY_WINDOWS_HOURS = [1, 24, 7 * 24, 30 * 24] as const;
const REACH_MS = 30 * DAY_MS;

export const profileParameters = z.strictObject({
  at: timeParameter
    .optional()
    .meta(shown('2026-11-20T10:00:00.000Z', 'As of this time; default now.')),
});

const OTHERS = 'Distinct merchants of an account, distinct accounts of a merchant or device.';

const windowSchema = z.object({
  hours: z.int(),
  transactions: z.int(),
  counterparties: z.int().meta({ description: OTHERS }),
  amounts: z.array(z.object({ currency: z.string(), sum: z.string(), max: z.string() })),
});

const common = {
  as_of: z.iso.datetime(),
  windows: z
    .array(windowSchema)
    .meta({ description: 'The last 1, 24, 168 and 720 hours before `as_of`.' }),
  days: z
    .array(
      z.object({
        day: z.iso.date(),
        transactions: z.int(),
        counterparties: z.int().meta({ description: OTHERS }),
      }),
    )
    .meta({ description: 'UTC days of the last 720 hours that have transactions, oldest first.' }),
  complete: z.boolean().meta({
    description:
      'False when the party did more than 100,000 transactions in 30 days: only those count.',
  }),
  recent: z.array(storedTransactionSchema).meta({ description: 'The newest, at most 20.' }),
};
type PartyProfile = z.infer<z.ZodObject<typeof common>>;

/** The answer of one kind of party. */
export const profileSchema = (party: ActiveParty, id: string) =>
  z.object({ [`${party}_id`]: z.string(), ...common }).meta({ id });

/** Undefined where the party has no transaction up to then. */
export async function readPartyProfile(
  databases: Databases,
  party: ActiveParty,
  partyId: string,
  atMs: number,
): Promise<PartyProfile | undefined> {
  const question = {
    [`${party}_id`]: partyId,
    to: atMs + 1,
    limit: RECENT_TRANSACTIONS,
    sort: 'created_at',
    order: 'desc',
    reason_match: 'any',
    total: false,
  } as const;
  const { rows: recent } = await find(databases, question);
  if (recent.length === 0) return undefined;
  const rows = await readFrom(databases, atMs + 1, (database) =>
    readActivity(database, party, partyId, atMs),
  );
  const windows = ACTIVITY_WINDOWS_HOURS.map((hours) => {
    const ours = rows.filter((row) => row.hours === hours);
    const all = ours.find((row) => row.currency === null);
    return {
      hours,
      transactions: all?.transactions ?? 0,
      counterparties: all?.counterparties ?? 0,
      amounts: ours.flatMap(({ currency, sum, max }) =>
        currency === null || sum === null || max === null ? [] : [{ currency, sum, max }],
      ),
    };
  });
  return {
    as_of: new Date(atMs).toISOString(),
    windows,
    days: rows.flatMap(({ day, transactions, counterparties }) =>
      day === null ? [] : { day, transactions, counterparties },
    ),
    complete:
      Math.max(...windows.map((window) => window.transactions)) < ACTIVITY_ROWS_MAX &&
      !isPrimaryAway(),
    recent: recent.map(toTransactionJson),
  };
}

/** Sums of one window, the longest last, then of each UTC day; `currency` is null in the row of all currencies. */
type ActivityRow = {
  /** Null for a day. */
  readonly hours: number | null;
  /** As 2026-11-20; null for a window. */
  readonly day: string | null;
  readonly currency: string | null;
  readonly transactions: number;
  /** Distinct merchants of an account, distinct accounts of a merchant or device. */
  readonly counterparties: number;
  /** Decimal texts; null in the row of all currencies. */
  readonly sum: string | null;
  readonly max: string | null;
};

const OTHER = { account: 'merchant_id', merchant: 'account_id', device: 'account_id' } as const;

const activityText = (party: ActiveParty) => `with newest as materialized (
    select created_at, amount, currency, ${OTHER[party]} as counterparty
      from market.transactions
     where ${party}_id = $1 and created_at > $2 and created_at <= $3
     order by created_at desc
     limit ${ACTIVITY_ROWS_MAX}
  )
  select hours, null as day, currency, count(*)::int4 as transactions,
         count(distinct counterparty)::int4 as counterparties,
         case when grouping(currency) = 0 then sum(amount)::text end as sum,
         case when grouping(currency) = 0 then max(amount)::text end as max
    from unnest($4::int4[]) as w(hours)
    join newest on created_at > $3::timestamptz - make_interval(hours => hours)
   group by grouping sets ((hours), (hours, currency))
  union all
  select null, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD'), null, count(*)::int4,
         count(distinct counterparty)::int4, null, null
    from newest
   group by 2
   order by hours, day, currency nulls first`;

/** Windows are (at − w, at]; the first day may be cut. */
async function readActivity(
  database: Pick<Database, 'query'>,
  party: ActiveParty,
  partyId: string,
  atMs: number,
): Promise<ActivityRow[]> {
  return await database.query<ActivityRow>({ text: activityText(party) }, [
    partyId,
    isoTime(atMs - REACH_MS),
    isoTime(atMs),
    [...ACTIVITY_WINDOWS_HOURS],
  ]);
}
