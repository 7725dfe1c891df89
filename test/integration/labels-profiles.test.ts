/**
 * Goal: once a label is answered the next transaction's features include it, whatever crashed in between, and
 * nothing that a label does not change is rebuilt. Method: a real worker beside the bound acceptance of labels;
 * features are read from the stored scores.
 */
import { expect, test } from 'vitest';
import { acceptLabels } from '../../src/core/accept/accept-labels.ts';
import { type FeatureName, featureIndex } from '../../src/core/domain/feature-schema.ts';
import type { LabelValue } from '../../src/core/domain/label.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import { openLabelIngest } from '../support/label-ingest.ts';
import { openForFile } from '../support/open-for-file.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const DAY_MS = 86_400_000;
/** Noon of the day on which the last transactions happen. */
const NOW_MS = Date.UTC(2026, 9, 20, 12);

let sent = 0;

const rig = await openForFile(createWorkerRig());
await openForFile(rig.startWorker());
const ingest = openLabelIngest(rig);

/** Sends transactions of one party at these times and waits until they are scored; returns their ids. */
async function score(party: string, times: readonly number[]): Promise<string[]> {
  const transactions = await rig.send(
    times.map((createdAtMs) => ({
      createdAtMs,
      accountId: `acc_${party}`,
      merchantId: `m_${party}`,
      deviceId: `device_${party}`,
      ip: '203.0.113.7',
    })),
  );
  sent += times.length;
  await rig.settled(sent);
  return transactions.map(({ transactionId }) => transactionId);
}

async function featuresOf(id: string | undefined, names: readonly FeatureName[]) {
  const [row] = await rig.database.sql<{ features: number[] }>(
    'select feature_values(features) as features from scores where transaction_id = $1',
    [id],
  );
  return names.map((name) => row?.features[featureIndex(name)]);
}

const label = (id: string | undefined, value: LabelValue, labelledAtMs: number) =>
  acceptLabels(ingest, {
    ...{ client: 'default', identity: null, clientSeen: null },
    inputs: [
      {
        transaction_id: id ?? '',
        label: value,
        labelled_at: new Date(labelledAtMs).toISOString(),
        source: 'bank',
      },
    ],
  });

const stored = (party: string) =>
  rig.commands.getBuffer(profileKey(rig.database.market, 'merchant', `m_${party}`));

const RATES: readonly FeatureName[] = [
  'fraud_rate_7d',
  'merchant_fraud_rate_7d',
  'merchant_young_frauds',
  'young_frauds',
  'device_frauds',
  'ip_frauds',
];

test('a label is in the features of the next transaction, and goes when it is taken back', async () => {
  const [old, young] = await score('a', [NOW_MS - 10 * DAY_MS, NOW_MS - 2 * DAY_MS]);
  await label(old, 'fraud', NOW_MS - 3 * DAY_MS);
  await label(young, 'fraud', NOW_MS - DAY_MS);
  const [known] = await score('a', [NOW_MS]);
  expect(await featuresOf(known, RATES)).toEqual([0.5, 0.5, 1, 1, 2, 2]);
  await label(old, 'legitimate', NOW_MS);
  const [after] = await score('a', [NOW_MS + 1]);
  expect(await featuresOf(after, RATES)).toEqual([0, 0, 1, 1, 1, 1]);
  // A label known at an earlier time is still known for that time.
  const [before] = await score('a', [NOW_MS - 1]);
  expect(await featuresOf(before, RATES)).toEqual([0.5, 0.5, 1, 1, 2, 2]);
});

test('a label that says legitimate where nobody said fraud leaves the profiles alone', async () => {
  const [id] = await score('b', [NOW_MS - 10 * DAY_MS]);
  const profile = await stored('b');
  await label(id, 'legitimate', NOW_MS);
  expect(await stored('b')).toEqual(profile);
  await label(id, 'fraud', NOW_MS + 1);
  expect(await stored('b')).toBeNull();
});
