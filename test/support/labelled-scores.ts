/**
 * Simulated traffic as Postgres has it after scoring and labels, for training. The vectors are drawn, not
 * computed: the first feature is the amount, the second distinguishes frauds with some error, every third is
 * missing now and then, the rest is noise.
 */
import { randomUUID } from 'node:crypto';
import { FEATURE_COUNT } from '../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { insertLabels } from '../../src/core/store/labels/insert-labels.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createRandom, normal } from '../../src/kit/random.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import type { SimulatedTransaction } from '../../src/tools/simulate/simulate.ts';
import { simulate } from '../../src/tools/simulate/simulate.ts';
import { insertPlainScores } from './delivered.ts';
import { idAt } from './stored-rows.ts';

export type LabelledTraffic = {
  readonly transactions: number;
  readonly days: number;
  readonly endMs: number;
  readonly fraudRate: number;
};

const PAGE = 1000;
const DECISION = { score: 0, risk: 0, probability: null, verdict: 'approve', reasons: [] } as const;

/** Labels are known one to six days after their transactions. */
export async function storeLabelledTraffic(
  database: Database,
  traffic: LabelledTraffic,
): Promise<void> {
  const options = { ...traffic, accounts: 400, merchants: 80, seed: 'labelled' };
  const rows = [...simulate(options)].map((row, at) => ({ ...row, id: idAt(row.createdAtMs, at) }));
  await ensurePartitions(
    database,
    rows.map(({ createdAtMs }) => monthOf(createdAtMs)),
  );
  const random = createRandom('vectors');
  for (let from = 0; from < rows.length; from += PAGE) {
    const page = rows.slice(from, from + PAGE);
    await database.query(insertTransactions, [JSON.stringify(page.map(toTransactionRow))]);
    const scores = page.map((row) => ({
      ...{ transactionId: row.id, createdAtMs: row.createdAtMs, accountId: row.accountId },
      ...{ corridor: row.corridor, decision: DECISION, features: drawVector(row, random) },
      ...{ model: null, attempts: 1, degradation: 0, ruleSet: currentRuleSet.id },
    }));
    await insertPlainScores(database, scores, traffic.endMs);
    const labels = page.map((row) => ({
      ...{ transactionId: row.id, createdAtMs: row.createdAtMs, accountId: row.accountId },
      ...{ merchantId: row.merchantId, labelledAtMs: row.labelledAtMs, source: 'simulation' },
      amountToMedian: null,
      note: null,
      label: row.scenario === 'none' ? ('legitimate' as const) : ('fraud' as const),
    }));
    const reporter = { client: 'default', identity: null };
    const batch = {
      batchId: randomUUID(),
      receivedAtMs: traffic.endMs + 7 * 86_400_000,
      reporter,
      labels,
    };
    await database.transaction((query) => insertLabels(query, batch));
  }
}

function drawVector(row: SimulatedTransaction, random: () => number): Float64Array {
  const vector = Float64Array.from({ length: FEATURE_COUNT }, (_, feature) =>
    feature % 3 === 0 && random() < 0.1 ? Number.NaN : random() * 100,
  );
  vector[0] = Number(row.amount);
  vector[1] = normal(random(), random()) + (row.scenario === 'none' ? 0 : 2);
  return vector;
}

function toTransactionRow(row: SimulatedTransaction & { readonly id: string }) {
  return {
    ...{ transaction_id: row.id, created_at: new Date(row.createdAtMs).toISOString() },
    ...{ account_id: row.accountId, merchant_id: row.merchantId, corridor: row.corridor },
    ...{ amount: row.amount, currency: row.currency, country: row.country },
  };
}

const insertTransactions = {
  name: 'test-insert-labelled-transactions',
  text: `insert into market.transactions (client, transaction_id, created_at, received_at, account_id, merchant_id,
           corridor, amount, currency, country)
         select 'default', transaction_id, created_at, created_at, account_id, merchant_id, corridor, amount, currency,
                country
           from json_to_recordset($1) as r(transaction_id uuid, created_at timestamptz, account_id text,
             merchant_id text, corridor text, amount numeric, currency text, country text)`,
};
