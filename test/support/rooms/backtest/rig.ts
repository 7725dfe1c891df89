/** Stored rows with vectors and labels, and rule sets that SQL counts as well. */
import { FEATURE_COUNT, featureIndex } from '../../../../src/core/domain/feature-schema.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { hexOf, storeLabels } from '../../scored-rows.ts';
import { storeTransactions } from '../../stored-rows.ts';

const DAY_MS = 86_400_000;
export const ROWS = 4000;
/** Two months, so that a run goes on in another partition. */
export const FROM_MS = Date.UTC(2026, 8, 29);
export const TO_MS = FROM_MS + 4 * DAY_MS;
export const KNOWN_BY = new Date(TO_MS + 5 * DAY_MS).toISOString();
export const WINDOW = {
  from: new Date(FROM_MS).toISOString(),
  to: new Date(TO_MS).toISOString(),
  known_by: KNOWN_BY,
};
/** Positions in a vector, from 1. */
export const [AMOUNT, COUNT] = [featureIndex('amount_to_median') + 1, featureIndex('count_1h') + 1];

/** Amounts from 60 on or five an hour are reviewed, both are declined. */
export const source = (id: string, from = 60) => ({
  version: 2,
  id,
  feature_schema: 3,
  rules: [
    {
      id: 'large',
      sentence: 'Large.',
      code: 'LARGE',
      when: `amount_to_median >= ${from}`,
      weight: 0.6,
    },
    { id: 'many', sentence: 'Many.', code: 'MANY', when: 'count_1h >= 5', weight: 0.7 },
    { id: 'none', sentence: 'None.', code: 'NONE', when: 'count_1h < 0', weight: 0.7 },
  ],
  verdicts: { all: { review: 500, decline: 800 } },
});

export async function storeHistory(database: Database): Promise<void> {
  const random = createRandom('11');
  const rows = Array.from({ length: ROWS }, (_, at) => {
    const amount = (random() * 100).toFixed(2);
    const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
    vector[AMOUNT - 1] = Number(amount);
    vector[COUNT - 1] = Math.floor(random() * 7);
    return {
      createdAtMs: FROM_MS + Math.floor((at * (TO_MS - FROM_MS)) / ROWS),
      amount,
      currency: random() < 0.7 ? 'USD' : 'EGP',
      corridor: random() < 0.8 ? 'US-EG' : 'US-MX',
      score: 0,
      features: hexOf([...vector]),
      label: random() < 0.05 ? ('fraud' as const) : random() < 0.3 ? ('legitimate' as const) : null,
    };
  });
  const ids = await storeTransactions(database, rows);
  const vectors = rows.map(({ features }, at) => ({ id: ids[at], features }));
  await database.query(
    {
      text: `update market.scores s set features = decode(v.features, 'hex')
               from json_to_recordset($1) as v (id uuid, features text) where s.transaction_id = v.id`,
    },
    [JSON.stringify(vectors)],
  );
  const labels = rows.flatMap(({ label, createdAtMs }, at) =>
    label === null
      ? []
      : { id: ids[at] ?? '', createdAtMs, label, labelledAtMs: createdAtMs + DAY_MS },
  );
  await storeLabels(database, labels);
}

/** Rows by verdict of both rule sets and label, by SQL alone. */
export async function countInSql(
  database: Database,
  large: number,
  against: number,
  corridor: string | null,
) {
  const verdict = (from: number) => `case
    when amount >= ${from} and count >= 5 then 'decline' when amount >= ${from} or count >= 5 then 'review' else 'approve' end`;
  return await database.query<{
    verdict: string;
    against: string;
    label: string;
    currency: string;
    rows: number;
    amount: string;
    large: number;
    many: number;
    both: number;
  }>({
    text: `with rows as (
      select s.transaction_id, t.currency, t.amount as money, market.feature_value(s.features, ${AMOUNT}) as amount,
             market.feature_value(s.features, ${COUNT}) as count,
             coalesce((select case when bool_or(l.label = 'fraud') then 'fraud' when count(*) > 0 then 'legitimate' end from market.labels l
                        where l.transaction_id = s.transaction_id and l.received_at <= '${KNOWN_BY}'), 'unlabelled') as label
        from market.scores s join market.transactions t using (transaction_id, created_at)
       where s.created_at >= '${WINDOW.from}' and s.created_at < '${WINDOW.to}'
         ${corridor === null ? '' : `and s.corridor = '${corridor}'`})
      select ${verdict(large)} as verdict, ${verdict(against)} as against, label, currency, count(*)::int as rows,
             sum(money)::text as amount, count(*) filter (where amount >= ${large})::int as large,
             count(*) filter (where count >= 5)::int as many,
             count(*) filter (where amount >= ${large} and count >= 5)::int as both
        from rows group by 1, 2, 3, 4`,
  });
}

export type Bands = Readonly<Record<'review' | 'decline', number>>;

/** Rows of `source` by verdict and label, if it had the bands: SQL counts, and each rule has its points. */
export async function countBands(
  database: Database,
  { review, decline }: Bands,
  corridor: string | null,
) {
  const counted = await countInSql(database, 60, 60, corridor);
  const cells = counted.flatMap(({ label, rows, large, many, both }) => [
    { label, points: 0, rows: rows - large - many + both },
    { label, points: 600, rows: large - both },
    { label, points: 700, rows: many - both },
    { label, points: 880, rows: both },
  ]);
  const sum = (from: number, to: number, label: string) =>
    cells
      .filter((cell) => cell.points >= from && cell.points < to && cell.label === label)
      .reduce((total, { rows }) => total + rows, 0);
  const verdicts = [
    ['approve', 0, review],
    ['review', review, decline],
    ['decline', decline, 1001],
  ] as const;
  return verdicts.map(([verdict, from, to]) => ({
    verdict,
    fraud: sum(from, to, 'fraud'),
    legitimate: sum(from, to, 'legitimate'),
    unlabelled: sum(from, to, 'unlabelled'),
  }));
}
