/**
 * Fills twelve months with rows as a search meets them, in SQL alone: common and rare accounts, merchants, devices, addresses,
 * corridors, clients, reasons, labels and dead letters. Row n is always the same, apart from its time.
 */
import pg from 'pg';
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import { REASON_CODES } from '../../src/core/score/reason-codes.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { mergeIncrements } from '../../src/core/store/tallies/day-tallies.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { fillDays } from '../../test/support/recount-days.ts';
import { RULE_SET } from './empty-history.ts';
import { MARKET, marketUrl } from './market.ts';
import type { Services } from './services.ts';

export const MONTHS = 12;
export const SEARCHED_DAYS = (MONTHS - 1) * 30;
const CHUNK_ROWS = 250_000;
const STATEMENT_TIMEOUT_MS = 3_600_000;

/** Values that searches name. Of a million rows: 50,000, 20, 10, 1,000, 1,000 and 1. */
export const RARE = {
  ...{ account: 'account_busy', device: 'device_ring', ip: '203.0.113.9', corridor: 'US-US' },
  ...{ client: 'shop_rare', ruleSet: 'careful@1' },
} as const;
const CODES = REASON_CODES.map(({ code }) => code);
/** Reasons of many rows, of one row in a million, and of none. */
export const [COMMON_REASON = '', SECOND_REASON = '', , RARE_REASON = ''] = CODES;
export const NOBODYS_REASON: string = CODES.at(-1) ?? '';
const CORRIDORS = 'US-EG,US-MX,US-PH,US-IN,GB-NG,GB-PK,AE-IN,SA-EG,DE-TR,FR-MA,ES-CO'.split(',');

/** A value of 0 to 1 that depends on the row's number and the place it is used at alone. */
const share = (place: number) => `((hashint8extended(n, ${place}) & 1048575) / 1048576.0)`;
const pick = (name: string, of: number, place: number, power = 1) =>
  `'${name}_' || floor(${of} * ${share(place)} ^ ${power})::int`;

/** Rows $1 to $2 of all; row n lies $4 milliseconds times n after $3. */
const ROWS = `
  select *, case when n % 1000 = 0 then '${RARE.corridor}'
                 else (array['${CORRIDORS.join("','")}'])[1 + floor(${CORRIDORS.length} * ${share(1)} ^ 2)::int] end as corridor,
         case when n % 20 = 0 then '${RARE.account}' else ${pick('a', 1_000_000, 2)} end as account_id,
         case when n % 20000 = 7 then null when ${share(3)} < 0.01 then 'decline' when ${share(3)} < 0.03 then 'review'
              else 'approve' end as verdict
    from (select n, to_timestamp(ms / 1000.0)::timestamptz(3) as at,
                 (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid as id
            from (select n, ($3::float8 + n * $4::float8)::bigint as ms, md5(n::text) as hash
                    from generate_series($1::bigint, $2::bigint) n) numbered) timed`;

const reason = (code: string) =>
  `jsonb_build_object('code', '${code}', 'detail', 'made by the bench', 'contribution', 120)`;

const INSERTS = [
  `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, amount, currency,
                             corridor, type, ip, device_id, country, channel, client)
   select id, at, at + case when n % 1000 = 3 then interval '3 days' else interval '200 ms' end, account_id,
          ${pick('m', 100_000, 4, 2)}, round((5 + 4000 * ${share(5)} ^ 8)::numeric, 2),
          case when ${share(6)} < 0.2 then 'EUR' else 'USD' end, corridor, 'payment',
          case when n % 100000 = 5 then '${RARE.ip}' else '10.' || floor(200 * ${share(7)})::int || '.' || floor(200 * ${share(8)})::int || '.7' end,
          case when n % 50000 = 9 then '${RARE.device}' when ${share(9)} < 0.9 then ${pick('d', 1_500_000, 10)} end, 'US', 'web',
          case when n % 1000 = 1 then '${RARE.client}' else 'shop_' || n % 5 end
     from (${ROWS}) rows`,
  `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons,
                       features, feature_schema, rule_set, model, attempts, degradation)
   select 0, id, at, at + interval '300 ms', account_id, corridor, score, score / 1000.0, verdict,
          case when n % 1000000 = 11 then jsonb_build_array(${reason(RARE_REASON)})
               when verdict = 'decline' then jsonb_build_array(${reason(COMMON_REASON)}, ${reason(SECOND_REASON)})
               when score >= 100 then jsonb_build_array(${reason(COMMON_REASON)}) else '[]' end,
          decode(to_hex(${FEATURE_COUNT}) || repeat('c3', ${FEATURE_COUNT}) || repeat(lpad(to_hex(n % 65536), 4, '0') || 'f03f', ${FEATURE_COUNT}), 'hex'), ${FEATURE_SCHEMA},
          case when at < to_timestamp($3::float8 / 1000) + interval '30 days' then '${RARE.ruleSet}' else '${RULE_SET}' end,
          case when n % 3 = 0 then $5::text end, 1, case when n % 10000 = 13 then 2 else 0 end
     from (select *, case verdict when 'decline' then 800 + floor(200 * ${share(11)})
                                  when 'review' then 500 + floor(300 * ${share(11)})
                                  else floor(320 * ${share(11)} ^ 3) end::int as score
             from (${ROWS}) rows where verdict is not null) scored`,
  `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
   select 'default', id, at, at + interval '7 days', case when n % 600 = 1 then 'fraud' else 'legitimate' end, 'chargeback',
          at + interval '7 days', id, account_id, ${pick('m', 100_000, 4, 2)}
     from (${ROWS}) rows where n % 200 = 1`,
  `insert into dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream, entry_id, attempts,
                             error_code, error, entry, failed_at)
   select id, id, at, account_id, corridor, 'made', '1-1', 5, 'MADE', 'made by the bench', '{}', at
     from (${ROWS}) rows where verdict is null`,
  `insert into idempotency_keys (slice, digest, fingerprint, transaction_id)
   select (select slice from idempotency_slices where sealed_at is null),
          idempotency_digest('shop_0', 'order-' || n), md5(n::text)::uuid, id
     from (${ROWS}) rows where n % 1000 = 0`,
];

/** Tables of which Postgres' statistics are taken once all rows are there. */
const TABLES = ['transactions', 'scores', 'labels', 'dead_letters', 'idempotency_keys'] as const;

/** Fills empty tables; rows that an earlier run stored are kept. */
export async function fillSearched(
  services: Services,
  { rows, model }: { readonly rows: number; readonly model: () => Promise<string> },
  onProgress: (text: string) => void,
): Promise<void> {
  const { database, databaseUrl } = services;
  const { rows: found } = await database.query('select from transactions limit 1');
  if (found.length > 0) return;
  const endMs = Date.now() - DAY_MS;
  const fromMs = endMs - SEARCHED_DAYS * DAY_MS;
  await using pool = openPool({
    ...{ url: databaseUrl, market: MARKET, role: 'bench', connectionsMax: 2 },
    ...{ connectTimeoutMs: 10_000, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
    namedStatements: false,
  });
  const lastMonth = monthOf(Date.now());
  await ensurePartitions(
    pool,
    Array.from({ length: MONTHS }, (_, at) => lastMonth - at),
  );
  const indexes = await dropIndexes(database);
  const named = await model();
  await Promise.all(
    INSERTS.map(async (text, at) => {
      const client = new pg.Client({ connectionString: marketUrl(databaseUrl) });
      await client.connect();
      try {
        for (let from = 0; from < rows; from += CHUNK_ROWS) {
          const to = Math.min(from + CHUNK_ROWS, rows) - 1;
          const values = [from, to, fromMs, (endMs - fromMs) / rows];
          await client.query(text, at === 1 ? [...values, named] : values);
          if (at === 1) onProgress(`${to + 1} of ${rows} rows`);
        }
      } finally {
        await client.end();
      }
    }),
  );
  for (const [at, text] of indexes.entries()) {
    onProgress(`index ${at + 1} of ${indexes.length}`);
    await database.query(text);
  }
  onProgress('counting them by day');
  await fillDays(pool);
  // No worker runs that would merge them, and a search reads no more than so many increments.
  while (await mergeIncrements(pool));
  onProgress('vacuuming');
  await database.query(`vacuum analyze ${TABLES.join(', ')}, daily_tallies, daily_increments`);
}

/** Indexes that no constraint needs are made after the rows, which takes a third of the time. Returns how to make them. */
export async function dropIndexes(database: pg.Client): Promise<string[]> {
  const { rows } = await database.query<{ name: string; text: string }>(
    `select c.oid::regclass::text as name, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') as text
       from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid in ('transactions'::regclass, 'scores'::regclass)
        and not exists (select from pg_constraint k where k.conindid = c.oid) order by 1`,
  );
  for (const { name } of rows) await database.query(`drop index ${name}`);
  return rows.map(({ text }) => text);
}
