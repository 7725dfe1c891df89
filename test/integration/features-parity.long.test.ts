/**
 * Goal: the vector that a worker logs is what Postgres says afterwards, to the bit, where transactions and
 * labels arrive in the order of their times. Method: a real worker over four months of few parties; labels are
 * sent as they become known; every stored vector is recomputed from Postgres alone.
 */
import { expect, test } from 'vitest';
import { acceptLabels } from '../../src/core/accept/accept-labels.ts';
import { FEATURE_LIST } from '../../src/core/domain/feature-schema.ts';
import type { LabelInput } from '../../src/core/domain/label.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { loadTransactions } from '../../src/core/store/transactions/read-transactions.ts';
import { createRandom } from '../../src/kit/random.ts';
import { openLabelIngest } from '../support/label-ingest.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 5, 10, 7, 13);
const DAYS = 120;
/** Days for which transactions are sent before their labels. */
const STEP_DAYS = 3;
const A_DAY = 6;
const FRAUD_SHARE = 0.15;
const TIMEOUT_MS = 180_000;

test('logged vectors are those that Postgres recomputes', { timeout: TIMEOUT_MS }, async () => {
  await using rig = await createWorkerRig();
  await using _worker = rig.startWorker();
  const ingest = openLabelIngest(rig);
  const random = createRandom('parity');
  let due: LabelInput[] = [];
  let sent = 0;
  for (let day = 0; day < DAYS; day += STEP_DAYS) {
    const seeds = Array.from({ length: STEP_DAYS * A_DAY }, () => ({
      createdAtMs: START_MS + Math.floor((day + STEP_DAYS * random()) * DAY_MS),
      accountId: `acc_${Math.floor(random() * 4)}`,
      merchantId: `m_${Math.floor(random() * 3)}`,
      amount: (random() < 0.1 ? 400 * random() : 5 + 40 * random()).toFixed(2),
    })).sort((a, b) => a.createdAtMs - b.createdAtMs);
    const transactions = await rig.send(seeds);
    sent += transactions.length;
    await rig.settled(sent);
    const endMs = START_MS + (day + STEP_DAYS) * DAY_MS;
    const known = due.filter((one) => Date.parse(one.labelled_at) <= endMs);
    if (known.length > 0)
      await acceptLabels(ingest, {
        client: 'default',
        identity: null,
        clientSeen: null,
        inputs: known,
      });
    due = due.filter((one) => !known.includes(one));
    for (const { transactionId } of transactions) {
      if (random() > FRAUD_SHARE) continue;
      // As of the end of a step, so that its labels count in the next one and not before.
      const labelledAtMs = endMs + STEP_DAYS * DAY_MS * (1 + Math.floor(3 * random()));
      const at = (ms: number) => ({
        ...{ transaction_id: transactionId, source: 'bank' },
        labelled_at: new Date(ms).toISOString(),
      });
      due.push({ ...at(labelledAtMs), label: 'fraud' });
      if (random() < 0.2) due.push({ ...at(labelledAtMs + 9 * DAY_MS), label: 'legitimate' });
    }
  }
  const rows = await rig.database.sql<{ id: string; features: number[] }>(
    'select transaction_id as id, feature_values(features) as features from scores order by created_at',
  );
  const stored = new Map(rows.map(({ id, features }) => [id, features]));
  const transactions = await loadTransactions(rig.pool, [...stored.keys()]);
  const recomputed = await createRecomputeVectors(rig.pool, 7)(transactions);
  expect(recomputed).toHaveLength(DAYS * A_DAY);
  const differing = transactions.flatMap(({ transactionId }, index) =>
    FEATURE_LIST.flatMap(({ name }, feature) => {
      const [logged, made] = [stored.get(transactionId)?.[feature], recomputed[index]?.[feature]];
      return Object.is(logged, made) ? [] : [{ transactionId, name, logged, made }];
    }),
  );
  expect(differing).toEqual([]);
  // Without this the test would prove nothing: each feature of labels took several values.
  for (const name of [
    'fraud_rate_30d',
    'young_frauds',
    'merchant_ordinary_rate_7d',
    'merchant_run_days',
  ]) {
    const at = FEATURE_LIST.findIndex((one) => one.name === name);
    expect(recomputed.filter((vector) => (vector[at] ?? 0) > 0).length, name).toBeGreaterThan(20);
  }
});
