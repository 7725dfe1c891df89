/**
 * Fills the tables with history: transactions with their keys and scores. Numbered rows, made in SQL, are spread evenly over the months
 * up to an end; each account has as many of them as any other, and so has each merchant. Rows of a load's own parties come from
 * the generator of the load and lie among the numbered ones by their time. Ids are in order of time as they would be, keys
 * stand in sealed slices of the usual size, and a checkpoint follows.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import {
  listKeySlices,
  sealKeySlice,
} from '../../src/core/store/idempotency-keys/key-slice-rows.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { type Database, openPool } from '../../src/kit/database/pool.ts';
import { monthOf, monthStartMs } from '../../src/kit/words/month.ts';
import { RULE_SET } from './empty-history.ts';
import { type HistoryChunk, historyChunks } from './history-chunks.ts';
import { MARKET, marketUrl } from './market.ts';
import type { Services } from './services.ts';
import { SLICE_KEYS } from './standing-keys.ts';
import { asSuperuser } from './superuser.ts';
import { type Traffic, trafficRows } from './traffic.ts';

export type HistoryRows = {
  /** Numbered rows. */
  readonly rows: number;
  readonly months: number;
  readonly rowsEachAccount: number;
  readonly rowsEachMerchant: number;
  /** Epoch milliseconds of the last row, nearly. */
  readonly endMs: number;
  /** Put before the ids of numbered accounts and merchants; a load has no parties of such names. */
  readonly strangers?: string;
  /** Further rows, which a load would have sent within those months. */
  readonly own?: Traffic | undefined;
};

/** A row in this many was flagged; the index of risky scores holds the flagged rows. */
const FLAGGED_EVERY = 50;
const STATEMENT_TIMEOUT_MS = 600_000;
const [SEAL_TRIES, SEAL_PAUSE_MS] = [240, 500];

/**
 * Numbered rows $1 to $2, of which row n lies $4 milliseconds times n after $3, and own rows, whose numbers begin at $8.
 * UUIDv7 by hand: time, version, variant.
 */
const ROWS = `
  select *, to_timestamp(ms / 1000.0)::timestamptz(3) as at,
         (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid as id
    from (select *, md5(n::text) as hash
            from (select n, ($3::float8 + n * $4::float8)::bigint as ms, $7::text || 'account_' || n % $5::bigint as account_id,
                         $7::text || 'merchant_' || n % $6::bigint as merchant_id, 20 + n % 90::numeric as amount,
                         'USD' as currency, 'US-US' as corridor, 'payment' as type,
                         host(inet '10.0.0.0' + n % $5::bigint) as ip, 'device_' || n % $5::bigint as device_id,
                         'US' as country, 'web' as channel
                    from generate_series($1::bigint, $2::bigint) n
                   union all
                  select $8::bigint + nth, ms, account_id, merchant_id, amount, currency, corridor, type, ip, device_id, country, channel
                    from unnest($9::bigint[], $10::text[], $11::text[], $12::numeric[], $13::text[], $14::text[], $15::text[],
                                $16::text[], $17::text[], $18::text[], $19::text[]) with ordinality
                      as own (ms, account_id, merchant_id, amount, currency, corridor, type, ip, device_id, country, channel, nth)
                 ) both_kinds) hashed
   order by ms`;
/** Parameters $9 to $19. */
const OWN_COLUMNS = [
  ...(['createdAtMs', 'accountId', 'merchantId', 'amount', 'currency', 'corridor'] as const),
  ...(['type', 'ip', 'deviceId', 'country', 'channel'] as const),
];

const INSERTS = [
  `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, amount, currency,
                             corridor, type, ip, ip_party, device_id, country, channel)
   select 'default', id, at, at, account_id, merchant_id, amount, currency, corridor, type, ip,
          network(set_masklen(ip::inet, 24))::text, device_id, country, channel
     from (${ROWS}) rows`,
  `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons,
                       features, feature_schema, rule_set, attempts, degradation)
   select 0, id, at, at, account_id, corridor, case when n % ${FLAGGED_EVERY} = 0 then 600 else 40 end,
          case when n % ${FLAGGED_EVERY} = 0 then 0.6 else 0.04 end,
          case when n % ${FLAGGED_EVERY} = 0 then 'review' else 'approve' end, '[]',
          decode(to_hex(${FEATURE_COUNT}) || repeat('c3', ${FEATURE_COUNT}) || repeat(lpad(to_hex(n % 65536), 4, '0') || 'f03f', ${FEATURE_COUNT}), 'hex'), ${FEATURE_SCHEMA}, '${RULE_SET}', 1, 0
     from (${ROWS}) rows`,
  `insert into idempotency_keys (slice, digest, fingerprint, transaction_id)
   select (select slice from idempotency_slices where sealed_at is null),
          idempotency_digest('default', 'history_' || n), md5(n::text)::uuid, id
     from (${ROWS}) rows`,
];
const KEYS = INSERTS.length - 1;

export async function fillHistory(
  services: Services,
  history: HistoryRows,
  onProgress: (text: string) => void,
): Promise<void> {
  const { rows, months, rowsEachAccount, rowsEachMerchant, endMs, strangers = '', own } = history;
  const all = rows + (own?.traffic.transactions ?? 0);
  if (all === 0) return;
  const { databaseUrl, database } = services;
  await using pool = openPool({
    ...{ url: databaseUrl, market: MARKET, role: 'bench', connectionsMax: 1 },
    ...{ namedStatements: true, connectTimeoutMs: STATEMENT_TIMEOUT_MS },
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  const firstMonth = monthOf(endMs) - months + 1;
  await ensurePartitions(
    pool,
    Array.from({ length: months }, (_, at) => firstMonth + at),
  );
  const fromMs = monthStartMs(firstMonth);
  const spacingMs = (endMs - fromMs) / Math.max(1, rows);
  const accounts = Math.max(1, Math.floor(rows / rowsEachAccount));
  const merchants = Math.max(1, Math.floor(rows / rowsEachMerchant));
  const values = ({ from, to, own: some, ownBefore }: HistoryChunk) => [
    from,
    to - 1,
    fromMs,
    spacingMs,
    accounts,
    merchants,
    strangers,
    rows + ownBefore,
    ...OWN_COLUMNS.map((column) => some.map((row) => row[column])),
  ];
  await Promise.all(
    INSERTS.map(async (text, table) => {
      const client = new pg.Client({ connectionString: marketUrl(databaseUrl) });
      await client.connect();
      let [done, sealed] = [0, 0];
      try {
        const ownRows = own === undefined ? [] : trafficRows(own);
        for (const chunk of historyChunks({ rows, fromMs, spacingMs }, ownRows)) {
          await client.query(text, values(chunk));
          done = chunk.to + chunk.ownBefore + chunk.own.length;
          if (table === 0) onProgress(`${done} of ${all} rows`);
          if (table !== KEYS || (done - sealed < SLICE_KEYS && done < all)) continue;
          await sealOpen(pool);
          sealed = done;
        }
      } finally {
        await client.end();
      }
    }),
  );
  // All rows are scored, so the reconciler finds nothing to do.
  await database.query('vacuum analyze transactions, scores, idempotency_keys');
  await asSuperuser(services, (superuser) => superuser.query('checkpoint'));
}

/** Does what a duty of workers does, none of which runs yet. Sealing gives up while autovacuum is at the slice, and is tried again. */
async function sealOpen(database: Database): Promise<void> {
  const open = (await listKeySlices(database.query)).find(({ sealedAt }) => sealedAt === null);
  if (open === undefined) throw new Error('no slice is open');
  for (let left = SEAL_TRIES; ; left--) {
    try {
      await sealKeySlice(database, open.slice);
      return;
    } catch (error) {
      if (left === 0) throw error;
    }
    await delay(SEAL_PAUSE_MS);
  }
}
