/** Rows as ingest and the worker would have stored them, for tests that only read. */
import { randomBytes } from 'node:crypto';
import { partyOfAddress } from '../../src/core/domain/personal.ts';
import { createdAtMsOf } from '../../src/core/domain/transaction.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';

/** A UUIDv7 of a moment; ids of one moment run by their sequence, if they have one. */
export function idAt(epochMs: number, sequence?: number): string {
  const time = epochMs.toString(16).padStart(12, '0');
  const rest = sequence?.toString(16).padStart(18, '0') ?? randomBytes(9).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
}

export type TransactionSeed = {
  readonly createdAtMs: number;
  readonly id?: string;
  readonly receivedAtMs?: number;
  readonly accountId?: string;
  readonly merchantId?: string;
  readonly deviceId?: string | null;
  readonly ip?: string | null;
  readonly corridor?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly metadata?: object;
  /** Absent: not scored. */
  readonly score?: number;
  readonly reasons?: readonly string[];
};

/** Stores transactions, and scores of those that have one; returns their ids in order. */
export async function storeTransactions(
  database: Database,
  seeds: readonly TransactionSeed[],
): Promise<string[]> {
  await ensurePartitions(
    database,
    seeds.map((seed) => monthOf(seed.createdAtMs)),
  );
  const rows = seeds.map((seed) => ({
    transaction_id: seed.id ?? idAt(seed.createdAtMs),
    created_at: new Date(seed.createdAtMs).toISOString(),
    received_at: new Date(seed.receivedAtMs ?? seed.createdAtMs).toISOString(),
    scored_at: new Date((seed.receivedAtMs ?? seed.createdAtMs) + 50).toISOString(),
    account_id: seed.accountId ?? 'acc_1',
    merchant_id: seed.merchantId ?? 'm_1',
    device_id: seed.deviceId ?? null,
    ip: seed.ip ?? null,
    ip_party: partyOfAddress(seed.ip ?? null),
    corridor: seed.corridor ?? 'US-EG',
    amount: seed.amount ?? '10.00',
    currency: seed.currency ?? 'USD',
    metadata: seed.metadata ?? null,
    score: seed.score ?? null,
    verdict: verdictOf(seed.score ?? 0),
    reasons: (seed.reasons ?? []).map((code) => ({ code, detail: code, contribution: 1 })),
  }));
  const json = JSON.stringify(rows);
  // A replica has all of one commit or nothing.
  await database.transaction(async (query) => {
    await query(insertTransactions, [json]);
    await query(noteLate, [json]);
    await query(insertScores, [json]);
  });
  await database.query(tallyRows, [json]);
  return rows.map((row) => row.transaction_id);
}

function verdictOf(score: number): string {
  if (score >= 800) return 'decline';
  return score >= 500 ? 'review' : 'approve';
}

const insertTransactions = {
  name: 'test-insert-transactions',
  text: `insert into market.transactions (transaction_id, created_at, received_at, account_id, merchant_id,
           device_id, ip, ip_party, corridor, amount, currency, metadata, client)
         select transaction_id, created_at, received_at, account_id, merchant_id, device_id, ip, ip_party, corridor, amount, currency,
                metadata, 'default'
           from json_to_recordset($1) as r(transaction_id uuid, created_at timestamptz, received_at timestamptz,
             account_id text, merchant_id text, device_id text, ip text, ip_party text, corridor text, amount numeric, currency text,
             metadata jsonb)`,
};

// A claim says so of late rows alone; saying it of every row is as right.
const noteLate = {
  name: 'test-note-late-rows',
  text: `insert into market.late_rows (bucket, from_at)
         select pg_current_xact_id()::text::bigint >> 13, min(created_at)
           from json_to_recordset($1) as r(created_at timestamptz)`,
};

const insertScores = {
  name: 'test-insert-scores',
  text: `insert into market.scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk,
           verdict, reasons, features, feature_schema, rule_set, attempts, degradation)
         select 0, transaction_id, created_at, scored_at, account_id, corridor, score, score / 1000.0,
                verdict, reasons, '\\x02c0c0f03ff87f', 3, 'default@3', 1, 0
           from json_to_recordset($1) as r(transaction_id uuid, created_at timestamptz, scored_at timestamptz,
             account_id text, corridor text, score smallint, verdict text, reasons jsonb)
          where score is not null`,
};

const insertScoresOf = {
  name: 'test-insert-scores-of',
  text: `insert into market.scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk,
           verdict, reasons, features, feature_schema, rule_set, attempts, degradation)
         select 0, transaction_id, created_at, received_at, account_id, corridor, 0, 0, 'approve', '[]', '', 3, 'default@3', 1, 0
           from market.transactions where transaction_id = any ($1::uuid[])`,
};

/** Scores of transactions that the API accepted. */
export async function storeScoresOf(database: Database, ids: readonly string[]): Promise<void> {
  await database.query(insertScoresOf, [ids]);
}

const insertOpenRows = {
  name: 'test-insert-open-rows',
  text: `insert into market.open_rows (row_id, opened_at, corridor, shard, is_left, transaction_ids)
         select gen_random_uuid(), $2::timestamptz + part * interval '1 ms', corridor, 0, $3, array_agg(transaction_id order by created_at, transaction_id)
           from (select *, (row_number() over (partition by corridor order by created_at, transaction_id) - 1) / 128 as part
                   from market.transactions where transaction_id = any ($1::uuid[])) t
          group by corridor, part`,
};

/**
 * Opens rows for stored transactions, as ingest would have at that time.
 * @param isLeft whether their append has failed
 */
export async function storeOpenRows(
  query: Query,
  openedAt: Date,
  transactionIds: readonly string[],
  isLeft = true,
): Promise<void> {
  await query(insertOpenRows, [transactionIds, openedAt, isLeft]);
}

export type StoredRow = {
  readonly rowId: string;
  readonly isLeft: boolean;
  readonly transactionIds: readonly string[];
};

/** The open rows of a market, in the order of their ids. */
export async function readRows(query: Query): Promise<StoredRow[]> {
  return await query<StoredRow>({
    name: 'test-read-open-rows',
    text: `select row_id as "rowId", is_left as "isLeft", transaction_ids::text[] as "transactionIds"
             from market.open_rows order by row_id`,
  });
}

/** Counts the rows as the engine's own statements do. */
const tallyRows = {
  name: 'test-tally-rows',
  text: `insert into market.daily_increments (day, corridor, currency, outcome, rule_set, count, amount, score_sum)
         select (created_at at time zone 'UTC')::date, corridor, currency, outcome,
                case when outcome <> 'accepted' then 'default@3' end, 1, amount,
                case when outcome <> 'accepted' then score else 0 end
           from json_to_recordset($1) as r(created_at timestamptz, corridor text, amount numeric, currency text,
             score smallint, verdict text),
                lateral unnest(array['accepted'] || case when score is not null then array[verdict] end) as outcome
          union all
         select (created_at at time zone 'UTC')::date, corridor, 'XXX', reason ->> 'code', 'default@3', 1, 0, 0
           from json_to_recordset($1) as r(created_at timestamptz, corridor text, score smallint, reasons jsonb),
                jsonb_array_elements(reasons) as reason
          where score is not null`,
};

export type DeadLetterSeed = {
  readonly id: string;
  readonly transactionId: string | null;
  readonly failedAtMs: number;
  readonly corridor?: string;
  readonly errorCode?: string;
  readonly accountId?: string;
};

/** Stores dead letters as the worker would have. */
export async function storeDeadLetters(
  database: Database,
  seeds: readonly DeadLetterSeed[],
): Promise<void> {
  const rows = seeds.map((seed, index) => ({
    dead_letter_id: seed.id,
    transaction_id: seed.transactionId,
    created_at: createdAt(seed.transactionId),
    account_id: seed.accountId ?? 'acc_1',
    corridor: seed.corridor ?? 'US-EG',
    stream: `{market_0:${seed.corridor ?? 'US-EG'}:0}:transactions`,
    entry_id: `1-${index}`,
    error_code: seed.errorCode ?? 'SCORING_FAILED',
    failed_at: new Date(seed.failedAtMs).toISOString(),
  }));
  await database.query(insertDeadLetters, [JSON.stringify(rows)]);
}

function createdAt(transactionId: string | null): string | null {
  const createdAtMs = createdAtMsOf(transactionId ?? '');
  return createdAtMs === undefined ? null : new Date(createdAtMs).toISOString();
}

const insertDeadLetters = {
  name: 'test-insert-dead-letters',
  text: `insert into market.dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream,
           entry_id, attempts, error_code, error, entry, failed_at)
         select dead_letter_id, transaction_id, created_at, account_id, corridor, stream, entry_id, 4,
                error_code, 'a test said so', '["packed"]', failed_at
           from json_to_recordset($1) as r(dead_letter_id uuid, transaction_id uuid, created_at timestamptz,
             account_id text, corridor text, stream text, entry_id text, error_code text, failed_at timestamptz)`,
};
