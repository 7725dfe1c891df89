/**
 * The tables of the rivals and the statements that fill them: one table with a unique key as most services have it and the
 * indexes by party that the engine has, and one of scores. Batches travel as the engine's own binary arrays, the fastest way
 * known here.
 */
import pg from 'pg';
import { newTransactionId } from '../../src/core/accept/prepare-transactions.ts';
import { FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import type { KeyedTransactionInput } from '../../src/core/domain/transaction.ts';
import { packVectors } from '../../src/core/store/scores/score-values.ts';
import {
  byteaArray,
  float8Array,
  int2Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../src/kit/database/binary-array.ts';
import { RULE_SET, scoreAlone } from '../support/empty-history.ts';
import { marketUrl } from '../support/market.ts';
import type { Accept } from '../support/plain-service.ts';
import { type Payment, POOL_CONNECTIONS, type Stores, type Style } from './rival.ts';

type Queryable = pg.Pool | pg.PoolClient;

const SCORE_COLUMNS = `scored_at timestamptz(3), score smallint, risk double precision, probability double precision,
  verdict text, reasons jsonb, features bytea, feature_schema smallint, rule_set text, model text`;

const DDL = `
  create table if not exists payments (
    transaction_id uuid primary key, idempotency_key text not null unique,
    created_at timestamptz(3) not null, received_at timestamptz(3) not null,
    account_id text not null, merchant_id text not null, amount numeric not null, currency text not null,
    corridor text not null, type text, ip text, device_id text, country text, channel text, ${SCORE_COLUMNS});
  create index if not exists payments_account_idx on payments (account_id, created_at);
  create index if not exists payments_merchant_idx on payments (merchant_id, created_at);
  create index if not exists payments_device_idx on payments (device_id, created_at) where device_id is not null;
  create index if not exists payments_ip_idx on payments (ip, created_at) where ip is not null;
  create table if not exists payment_scores (transaction_id uuid primary key, ${SCORE_COLUMNS})`;

export function openPool({ databaseUrl }: Stores): pg.Pool {
  return new pg.Pool({ connectionString: marketUrl(databaseUrl), max: POOL_CONNECTIONS });
}

export async function createTables(pool: pg.Pool): Promise<void> {
  await pool.query(DDL);
}

export function toPayment(input: KeyedTransactionInput): Payment {
  const receivedAtMs = Date.now();
  const createdAtMs = input.created_at === undefined ? receivedAtMs : Date.parse(input.created_at);
  return {
    transactionId: newTransactionId(createdAtMs),
    idempotencyKey: input.idempotency_key,
    ...{ createdAtMs, receivedAtMs },
    accountId: input.account_id,
    merchantId: input.merchant_id,
    amount: input.amount,
    currency: input.currency,
    corridor: input.corridor,
    type: input.type ?? null,
    ip: input.ip ?? null,
    deviceId: input.device_id ?? null,
    country: input.country ?? null,
    channel: input.channel ?? null,
  };
}

const PAYMENT_COLUMNS = `transaction_id, idempotency_key, created_at, received_at, account_id, merchant_id, amount,
  currency, corridor, type, ip, device_id, country, channel`;

export async function insertPayment(query: Queryable, one: Payment): Promise<void> {
  await query.query({
    name: 'insert-payment',
    text: `insert into payments (${PAYMENT_COLUMNS})
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
           on conflict (idempotency_key) do nothing`,
    values: [
      one.transactionId,
      one.idempotencyKey,
      new Date(one.createdAtMs),
      new Date(one.receivedAtMs),
      one.accountId,
      one.merchantId,
      one.amount,
      one.currency,
      one.corridor,
      one.type,
      one.ip,
      one.deviceId,
      one.country,
      one.channel,
    ],
  });
}

export async function insertPayments(query: Queryable, all: readonly Payment[]): Promise<void> {
  await query.query({
    name: 'insert-payments',
    text: `insert into payments (${PAYMENT_COLUMNS})
           select unnest($1::uuid[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::timestamptz[]),
                  unnest($5::text[]), unnest($6::text[]), unnest($7::text[])::numeric, unnest($8::text[]),
                  unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[]),
                  unnest($13::text[]), unnest($14::text[])
           on conflict (idempotency_key) do nothing`,
    values: [
      uuidArray(all.map((one) => one.transactionId)),
      textArray(all.map((one) => one.idempotencyKey)),
      timestampArray(all.map((one) => one.createdAtMs)),
      timestampArray(all.map((one) => one.receivedAtMs)),
      textArray(all.map((one) => one.accountId)),
      textArray(all.map((one) => one.merchantId)),
      textArray(all.map((one) => one.amount)),
      textArray(all.map((one) => one.currency)),
      textArray(all.map((one) => one.corridor)),
      textArray(all.map((one) => one.type)),
      textArray(all.map((one) => one.ip)),
      textArray(all.map((one) => one.deviceId)),
      textArray(all.map((one) => one.country)),
      textArray(all.map((one) => one.channel)),
    ],
  });
}

const SCORE_NAMES = `scored_at, score, risk, probability, verdict, reasons, features, feature_schema, rule_set, model`;

function scoreValues(one: Payment): unknown[] {
  const { decision, features } = scoreAlone(one);
  return [
    one.transactionId,
    new Date(),
    decision.score,
    decision.risk,
    decision.probability,
    decision.verdict,
    JSON.stringify(decision.reasons),
    Buffer.from(features.buffer),
    FEATURE_SCHEMA,
    RULE_SET,
    null,
  ];
}

/** Scores and stores one. */
export async function insertScore(query: Queryable, one: Payment): Promise<void> {
  await query.query({
    name: 'insert-score',
    text: `insert into payment_scores (transaction_id, ${SCORE_NAMES})
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
    values: scoreValues(one),
  });
}

export async function updateScore(query: Queryable, one: Payment): Promise<void> {
  await query.query({
    name: 'update-score',
    text: `update payments set (${SCORE_NAMES}) = row($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            where transaction_id = $1 and scored_at is null`,
    values: scoreValues(one),
  });
}

const SCORED_ROWS = `
  select transaction_id, $2::timestamptz, score, risk, probability, verdict, reasons::jsonb,
         features, $9::smallint, $10::text, null::text
    from (select unnest($1::uuid[]) as transaction_id, unnest($3::smallint[]) as score,
                 unnest($4::float8[]) as risk, unnest($5::float8[]) as probability,
                 unnest($6::text[]) as verdict, unnest($7::text[]) as reasons,
                 unnest($8::bytea[]) as features) u`;

function scoresValues(all: readonly Payment[]): unknown[] {
  const scored = all.map(scoreAlone);
  const decisions = scored.map(({ decision }) => decision);
  return [
    uuidArray(all.map((one) => one.transactionId)),
    new Date(),
    int2Array(decisions.map(({ score }) => score)),
    float8Array(decisions.map(({ risk }) => risk)),
    float8Array(decisions.map(({ probability }) => probability)),
    textArray(decisions.map(({ verdict }) => verdict)),
    textArray(decisions.map(({ reasons }) => JSON.stringify(reasons))),
    byteaArray(packVectors(scored.map(({ features }) => features))),
    FEATURE_SCHEMA,
    RULE_SET,
  ];
}

/** Scores and stores all in one statement. */
export async function insertScores(query: Queryable, all: readonly Payment[]): Promise<void> {
  await query.query({
    name: 'insert-scores',
    text: `insert into payment_scores (transaction_id, ${SCORE_NAMES}) ${SCORED_ROWS} on conflict do nothing`,
    values: scoresValues(all),
  });
}

export async function updateScores(query: Queryable, all: readonly Payment[]): Promise<void> {
  await query.query({
    name: 'update-scores',
    text: `update payments p
              set (${SCORE_NAMES}) = row(s.scored_at, s.score, s.risk, s.probability, s.verdict, s.reasons,
                                         s.features, s.feature_schema, s.rule_set, s.model)
             from (${SCORED_ROWS}) s (transaction_id, ${SCORE_NAMES})
            where p.transaction_id = s.transaction_id and p.scored_at is null`,
    values: scoresValues(all),
  });
}

type AddJobs<Of> = (client: pg.PoolClient, of: Of) => Promise<void>;

/** Stores the payments of a request and adds their jobs: in one transaction a request, or by the usual style one a payment. */
export function acceptWithJobs(
  pool: pg.Pool,
  style: Style,
  addJobs: { readonly request: AddJobs<readonly Payment[]>; readonly payment: AddJobs<Payment> },
): Accept {
  return async (inputs) => {
    const payments = inputs.map(toPayment);
    if (style === 'batched') {
      await inTransaction(pool, async (client) => {
        await insertPayments(client, payments);
        await addJobs.request(client, payments);
      });
    } else {
      const store = (payment: Payment) =>
        inTransaction(pool, async (client) => {
          await insertPayment(client, payment);
          await addJobs.payment(client, payment);
        });
      await Promise.all(payments.map(store));
    }
    return payments.map(({ transactionId }) => transactionId);
  };
}

/** Runs `work` between begin and commit on a connection of its own. */
async function inTransaction(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await work(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
