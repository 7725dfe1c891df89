/** A few thousand transactions over months with all that a search asks of them, and the same search in plain code. */
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { mergeIncrements } from '../../src/core/store/tallies/day-tallies.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import type { TestDatabase } from './database.ts';
import { DAY_MS, NOVEMBER } from './reads.ts';
import { idAt } from './stored-rows.ts';

const REASONS = ['VELOCITY_COUNT_1H', 'NEW_MERCHANT', 'STRUCTURING'];
const HOUR_MS = 3_600_000;

const pick = <T>(values: readonly T[], n: number): T | undefined => values[n % values.length];

function scoreOf(n: number, receivedAtMs: number) {
  const score = n % 11 === 3 ? Math.min(1000, (n * 37) % 1100) : (n * 13) % 320;
  const flagged = score >= 500 || n % 50 === 7 ? 'review' : 'approve';
  return {
    ...{ score, verdict: score >= 800 ? 'decline' : flagged, scoredAtMs: receivedAtMs + 50 },
    reasons: REASONS.filter((_, bit) => ((n >> bit) & 3) === 1),
    rule_set: pick(['careful@1', 'default@3', 'default@3'], n),
    model: n % 5 === 1 ? 'fraud@1' : null,
    degradation: n % 31 === 0 ? 2 : 0,
  };
}

const labelsOf = (n: number, createdAtMs: number) => [
  ...(n % 10 === 1 ? [{ label: 'fraud', labelledAtMs: createdAtMs + DAY_MS }] : []),
  ...(n % 20 === 1 ? [{ label: 'legitimate', labelledAtMs: createdAtMs + 2 * DAY_MS }] : []),
  ...(n % 40 === 1 ? [{ label: 'fraud', labelledAtMs: createdAtMs + 2 * DAY_MS }] : []),
  ...(n % 10 === 2 ? [{ label: 'legitimate', labelledAtMs: createdAtMs + HOUR_MS }] : []),
];

/** The n-th row: 7919 spreads the numbers over the time, so that no field follows another. */
function seedOf(n: number, rows: number) {
  const stepMs = Math.round((100 * DAY_MS) / rows);
  const createdAtMs = NOVEMBER - ((n * 7919) % rows) * stepMs - (n % 2);
  const receivedAtMs = createdAtMs + (n % 29 === 0 ? 40 * DAY_MS : 100);
  const isScored = n % 7 !== 3;
  return {
    ...{ transaction_id: idAt(createdAtMs, n), createdAtMs, receivedAtMs, n },
    ...{ account_id: `acc_${n % 97}`, merchant_id: `m_${n % 23}` },
    client: pick(['shop', 'bank'], Math.floor(n / 5)),
    device_id: n % 3 === 0 ? null : `d_${n % 41}`,
    ip: n % 5 === 0 ? null : `192.0.2.${n % 53}`,
    corridor: pick(['US-MX', 'US-EG', 'US-EG'], n),
    amount: `${((n * 31) % 500) + 1}.${n % 10}${n % 4}`,
    currency: pick(['EUR', 'USD', 'USD', 'USD'], n),
    isDead: !isScored && n % 2 === 0,
    score: isScored ? scoreOf(n, receivedAtMs) : null,
    labels: labelsOf(n, createdAtMs),
  };
}
export type Seed = ReturnType<typeof seedOf>;

export const seedsOf = (rows: number): Seed[] =>
  Array.from({ length: rows }, (_, n) => seedOf(n, rows));

const decidingLabel = ({ labels }: Seed) =>
  labels.toSorted(
    (one, other) => other.labelledAtMs - one.labelledAtMs || (one.label < other.label ? -1 : 1),
  )[0]?.label ?? 'none';

const statusOf = ({ score, isDead }: Seed) =>
  score !== null ? 'scored' : isDead ? 'dead_lettered' : 'accepted';

type Check = (seed: Seed, value: string, query: Record<string, string>) => boolean;
const is =
  (
    field: 'account_id' | 'merchant_id' | 'device_id' | 'ip' | 'corridor' | 'client' | 'currency',
  ): Check =>
  (seed, value) =>
    seed[field] === value;
const from =
  (of: (seed: Seed) => number | undefined): Check =>
  (seed, value) =>
    (of(seed) ?? Number.NaN) >= Date.parse(value);
const to =
  (of: (seed: Seed) => number | undefined): Check =>
  (seed, value) =>
    (of(seed) ?? Number.NaN) < Date.parse(value);
const ofScore =
  (
    check: (
      score: NonNullable<Seed['score']>,
      value: string,
      query: Record<string, string>,
    ) => boolean,
  ): Check =>
  (seed, value, query) =>
    seed.score !== null && check(seed.score, value, query);
const nothing: Check = () => true;

const CHECKS: Readonly<Record<string, Check>> = {
  ...{ account_id: is('account_id'), merchant_id: is('merchant_id'), device_id: is('device_id') },
  ...{ ip: is('ip'), corridor: is('corridor'), client: is('client'), currency: is('currency') },
  status: (seed, value) => statusOf(seed) === value,
  idempotency_key: (seed, value) => `key_${seed.n}` === value,
  min_amount: ({ amount }, value) => Number(amount) >= Number(value),
  max_amount: ({ amount }, value) => Number(amount) <= Number(value),
  verdict: ofScore(({ verdict }, value) => value.split(',').includes(verdict)),
  min_score: ofScore(({ score }, value) => score >= Number(value)),
  max_score: ofScore(({ score }, value) => score <= Number(value)),
  reason: ofScore(({ reasons }, value, { reason_match }) => {
    const asked = value.split(',');
    const has = (code: string) => reasons.includes(code);
    return reason_match === 'all' ? asked.every(has) : asked.some(has);
  }),
  rule_set: ofScore(({ rule_set }, value) => rule_set === value),
  model: ofScore(({ model }, value) => (model ?? 'none') === value),
  degradation: ofScore(({ degradation }, value) => degradation === Number(value)),
  label: (seed, value) => decidingLabel(seed) === value,
  ...{ from: from((seed) => seed.createdAtMs), to: to((seed) => seed.createdAtMs) },
  received_from: from((seed) => seed.receivedAtMs),
  received_to: to((seed) => seed.receivedAtMs),
  scored_from: from((seed) => seed.score?.scoredAtMs),
  scored_to: to((seed) => seed.score?.scoredAtMs),
  ...{ reason_match: nothing, sort: nothing, order: nothing, limit: nothing, total: nothing },
};

const PARTIES = ['account_id', 'merchant_id', 'device_id', 'ip'];
const isRisky = ({ score }: Seed) =>
  score !== null && (score.verdict !== 'approve' || score.score >= 300);

/** The ids that a list has, in its order: all that match, or the first ones of a ranked list. */
export function expectedIds(query: Record<string, string>, seeds: readonly Seed[]): string[] {
  const { sort = 'created_at', order = 'desc' } = query;
  const isOfParty = PARTIES.some((party) => query[party] !== undefined);
  const isRiskiest = sort === 'score' && !isOfParty;
  const found = seeds.filter(
    (seed) =>
      (seed.score !== null || sort !== 'score') &&
      (!isRiskiest || isRisky(seed)) &&
      Object.entries(query).every(([name, value]) => CHECKS[name]?.(seed, value, query)),
  );
  const rank = (seed: Seed) =>
    sort === 'score' ? (seed.score?.score ?? 0) : sort === 'amount' ? Number(seed.amount) : 0;
  found.sort(
    (one, other) => rank(one) - rank(other) || (one.transaction_id < other.transaction_id ? -1 : 1),
  );
  if (order === 'desc') found.reverse();
  const isRanked = sort !== 'created_at' && !isRiskiest;
  const listed = isRanked ? found.slice(0, Number(query['limit'])) : found;
  return listed.map((seed) => seed.transaction_id);
}

/** Stores the rows and counts them as the engine does; a part of the increments is merged. */
export async function storeSearched(
  testDatabase: TestDatabase,
  database: Database,
  seeds: readonly Seed[],
): Promise<void> {
  await ensurePartitions(database, new Set(seeds.map(({ createdAtMs }) => monthOf(createdAtMs))));
  const json = JSON.stringify(
    seeds.map(({ createdAtMs, receivedAtMs, score, labels, ...seed }) => ({
      ...seed,
      ...{ created_at: new Date(createdAtMs), received_at: new Date(receivedAtMs) },
      score: score && {
        ...score,
        scored_at: new Date(score.scoredAtMs),
        reasons: score.reasons.map((code) => ({ code, detail: code, contribution: 1 })),
      },
      labels: labels.map(({ label, labelledAtMs }) => ({ label, at: new Date(labelledAtMs) })),
    })),
  );
  for (const text of INSERTS) await testDatabase.sql(text, [json]);
  await mergeIncrements(database, Math.ceil(seeds.length / 4));
}

const ROWS = `json_to_recordset($1) as r(transaction_id uuid, created_at timestamptz, received_at timestamptz, account_id text,
  merchant_id text, corridor text, amount numeric, currency text, ip text, device_id text, client text, n int,
  "isDead" boolean, score json, labels json)`;
const SCORES = `${ROWS}, json_to_record(score) as s(score int, verdict text, reasons jsonb, rule_set text, model text,
  degradation int, scored_at timestamptz) where r.score is not null and json_typeof(r.score) = 'object'`;
const DAY = `(created_at at time zone 'UTC')::date`;
const INSERTS = [
  `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, ip, device_id, client)
   select transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, ip, device_id, client from ${ROWS}`,
  `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation)
   select 0, transaction_id, created_at, scored_at, account_id, corridor, s.score, s.score / 1000.0, verdict, reasons, '', 3, rule_set, model, 1, degradation from ${SCORES}`,
  `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
   select 'default', transaction_id, created_at, l.at, l.label, 'bank', l.at, transaction_id, account_id, merchant_id
     from ${ROWS}, json_to_recordset(labels) as l(label text, at timestamptz)`,
  `insert into dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream, entry_id, attempts, error_code, error, entry, failed_at)
   select gen_random_uuid(), transaction_id, created_at, account_id, corridor, 's', n::text, 4, 'FAILED', 'a test said so', '[]', received_at from ${ROWS} where "isDead"`,
  `insert into idempotency_keys (slice, digest, fingerprint, transaction_id)
   select (select slice from idempotency_slices where sealed_at is null), idempotency_digest(client, 'key_' || n), transaction_id, transaction_id from ${ROWS}`,
  `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
   select ${DAY}, corridor, currency, 'accepted', count(*), sum(amount), 0 from ${ROWS} group by 1, 2, 3`,
  `insert into daily_increments (day, corridor, currency, outcome, rule_set, model, count, amount, score_sum)
   select ${DAY}, corridor, currency, verdict, rule_set, model, count(*), sum(amount), sum(s.score) from ${SCORES} group by 1, 2, 3, 4, 5, 6`,
  `insert into daily_increments (day, corridor, currency, outcome, rule_set, count, amount, score_sum)
   select ${DAY}, corridor, 'XXX', reason ->> 'code', rule_set, count(*), 0, 0
     from (select r.created_at, r.corridor, s.reasons, s.rule_set from ${SCORES}) scored, jsonb_array_elements(reasons) reason group by 1, 2, 4, 5`,
  `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
   select ${DAY}, corridor, currency, label, count(*), sum(amount), 0
     from (select r.*, (select l.label from json_to_recordset(labels) as l(label text, at timestamptz)
                         order by at desc, label limit 1) as label from ${ROWS}) labelled
    where label is not null group by 1, 2, 3, 4`,
];

const TIE_MS = 8 * DAY_MS;
/** Ids between those of two tied rows. */
export const SPACE = 1000;

/** Rows that share eight days' moment, a score of six, and an amount of ten. */
export function tiedSeedOf(n: number, rows: number): Seed {
  const seed = seedOf(n, rows);
  const createdAtMs = seed.createdAtMs - (seed.createdAtMs % TIE_MS);
  const score = seed.score && { ...seed.score, score: seed.score.score - (seed.score.score % 150) };
  const amount = `${(n % 10) + 1}.50`;
  return { ...seed, createdAtMs, transaction_id: idAt(createdAtMs, n * SPACE), score, amount };
}
