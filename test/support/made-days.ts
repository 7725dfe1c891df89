/** Days of made payments as Postgres has them once they are scored: one in 25 is a fraud, mostly of type `cashout` and at night. */
import { FEATURE_COUNT, featureIndex } from '../../src/core/domain/feature-schema.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createRandom, normal } from '../../src/kit/random.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { DAY_MS, HOUR_MS } from '../../src/kit/words/range.ts';
import { insertPlainScores } from './delivered.ts';
import { idAt } from './stored-rows.ts';

export type MadePayment = ReturnType<typeof makePayment>;

export const SIGNAL = featureIndex('amount_to_median');
const FRAUD_SHARE = 0.04;
const REVIEWED_FROM = 0.27;
const ACCOUNTS = 40;

/** The night of a day whose table a person builds. */
export const nightOf = (day: number) => ({
  ...{ day, maturityDays: 7, by: { name: 'Cy', keyId: null, request: 'test' } },
  signal: new AbortController().signal,
});

/** A statement that declares fields of metadata. */
export const declareFields = (types: Readonly<Record<string, string>>) =>
  `insert into metadata_fields (name, type, description, declared_by) values ${Object.entries(types).map(([name, type]) => `('${name}', '${type}', 'd', 'Cy')`)}`;

/** @param day since 1970 */
export function makeDay(
  day: number,
  payments: number,
  seed = `day ${day}`,
  fraudShare = FRAUD_SHARE,
): MadePayment[] {
  const random = createRandom(seed);
  return Array.from({ length: payments }, (_, nth) => makePayment(day, nth, random, fraudShare));
}

export const makeDays = (first: number, days: number, payments: number, seed = ''): MadePayment[] =>
  Array.from({ length: days }, (_, nth) => first + nth).flatMap((day) =>
    makeDay(day, payments, `${seed}day ${day}`),
  );

function makePayment(day: number, nth: number, random: () => number, fraudShare: number) {
  const isFraud = random() < fraudShare;
  const hour = Math.floor(isFraud && random() < 0.7 ? 4 * random() : 24 * random());
  const createdAtMs = day * DAY_MS + hour * HOUR_MS + Math.floor(random() * HOUR_MS);
  const vector = Float64Array.from({ length: FEATURE_COUNT }, () =>
    random() < 0.1 ? Number.NaN : random() * 10,
  );
  vector[SIGNAL] = Math.exp(normal(random(), random()) + (isFraud ? 2 : 0));
  return {
    id: idAt(createdAtMs, Math.floor(random() * 2 ** 40) * 1000 + nth),
    createdAtMs,
    isFraud,
    vector,
    risk: 0.3 * random(),
    ...{ corridor: 'US-EG', client: 'default', country: 'US' },
    accountId: `acc_${Math.floor(random() * ACCOUNTS)}`,
    deviceId: `device_${Math.floor(random() * 100)}`,
    type: random() < (isFraud ? 0.7 : 0.2) ? 'cashout' : 'purchase',
    channel: random() < 0.5 ? 'app' : null,
    amount: (10 + 90 * random()).toFixed(2),
    metadata: { distance: Math.floor(random() * 1000), is_new: random() < 0.3, secret: 'a' },
  };
}

/**
 * Stores payments and their scores, as a worker without tables does.
 * @param scorecard serial of a table that judges them instead, by the amount alone
 * @param model that decided, as the rules would have
 */
export async function storeScored(
  database: Database,
  payments: readonly MadePayment[],
  scorecard: number | null = null,
  model: string | null = null,
): Promise<void> {
  await ensurePartitions(
    database,
    payments.map(({ createdAtMs }) => monthOf(createdAtMs)),
  );
  await database.query(insertPayments, [
    JSON.stringify(
      payments.map((payment) => ({
        ...payment,
        vector: null,
        createdAt: new Date(payment.createdAtMs).toISOString(),
      })),
    ),
  ]);
  const scores = payments.map(({ id, createdAtMs, accountId, vector, risk, corridor }) => ({
    ...{ transactionId: id, createdAtMs, accountId, corridor, features: vector },
    decision: {
      byRules: model === null ? null : Math.round(1000 * risk),
      ...{ score: 0, risk, probability: null, reasons: [] },
      verdict: risk > REVIEWED_FROM ? ('review' as const) : ('approve' as const),
    },
    ...(scorecard === null ? {} : { scorecard, margin: Math.log(vector[SIGNAL] ?? 1) }),
    ...{ model, attempts: 1, degradation: 0, ruleSet: 'default@3' },
  }));
  await insertPlainScores(database, scores, Date.UTC(2026, 11));
}

const insertPayments = {
  name: 'test-insert-made-payments',
  text: `insert into market.transactions (client, transaction_id, created_at, received_at, account_id, merchant_id,
           corridor, amount, currency, country, type, channel, device_id, metadata)
         select client, id, "createdAt", "createdAt", "accountId", 'm_1', corridor, amount, 'USD', country, type, channel,
                "deviceId", metadata
           from json_to_recordset($1) as r(id uuid, "createdAt" timestamptz, "accountId" text, amount numeric, type text,
             channel text, "deviceId" text, metadata jsonb, corridor text, client text, country text)`,
};

/** Stores payments, their scores, and the facts known three days after each payment. @param scorecard as of `storeScored` */
export async function storeLabelled(
  database: Database,
  payments: readonly MadePayment[],
  scorecard: number | null = null,
): Promise<void> {
  await storeScored(database, payments, scorecard);
  await storeKnown(database, payments, 3);
}

/** Stores the days from 2026-03-01 to 2026-04-14 as trainings read them. */
export async function storeTrainingDays(database: Database, payments: number, fraudShare: number) {
  for (let day = Date.UTC(2026, 2, 1) / DAY_MS; day < Date.UTC(2026, 3, 15) / DAY_MS; day++) {
    const made = makeDay(day, payments, `training ${day}`, fraudShare);
    await storeLabelled(database, made);
  }
}

/** Stores what became known of payments, so many days after each. @param client who says so */
export async function storeKnown(
  database: Database,
  payments: readonly Pick<MadePayment, 'id' | 'createdAtMs' | 'isFraud'>[],
  delayDays: number,
  client = 'default',
): Promise<void> {
  await database.query(insertKnown, [
    client,
    JSON.stringify(
      payments.map(({ id, createdAtMs, isFraud }) => ({
        id,
        createdAt: new Date(createdAtMs).toISOString(),
        labelledAt: new Date(createdAtMs + delayDays * DAY_MS).toISOString(),
        label: isFraud ? 'fraud' : 'legitimate',
      })),
    ),
  ]);
}

const insertKnown = {
  name: 'test-insert-known',
  text: `insert into market.labels (transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
           account_id, merchant_id, client)
         select id, "createdAt", "labelledAt", label, 'test', "labelledAt", gen_random_uuid(), 'acc_1', 'm_1', $1
           from json_to_recordset($2) as r(id uuid, "createdAt" timestamptz, "labelledAt" timestamptz, label text)`,
};
