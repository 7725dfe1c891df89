/**
 * The sample that a first start scores: seeded traffic of the month before, kept in the data folder,
 * so that every later start replays the same file and finds only duplicates.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Projection } from '../../../kit/client/fields.ts';
import { openSource } from '../../../kit/client/rows.ts';
import { writeSimulation } from '../../simulate/command.ts';

export const DAYS = 30;
const FRAUD_RATE = 0.01;
/** Good customers whom the default rules decline, a few dozen of 20,000 transactions: an analyst has something to improve. */
const GIFTS = { corridor: 'US-EG', share: 0.08 };
const MINUTE_MS = 60_000;
/** Rows for an account to have about twenty transactions, and a merchant about seventy. */
const TRANSACTIONS_PER_ACCOUNT = 20;
const TRANSACTIONS_PER_MERCHANT = 70;
const MERCHANTS_MIN = 50;
const KEYS_OF_PART = 10_000;

export const EACH_COLUMN: Projection = {
  csv: (header) => (cells) => Object.fromEntries(header.map((name, at) => [name, cells[at]])),
  json: (row) => ({ ...row }),
};

export type Sample = { readonly file: string; readonly made: boolean };

/** The file with the labels of the transactions. */
export const labelsFile = (dataDir: string, transactions: number) =>
  join(dataDir, `sample-${transactions}-labels.csv.gz`);

export async function readOrMakeSample(
  dataDir: string,
  transactions: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<Sample> {
  const out = join(dataDir, `sample-${transactions}.csv.gz`);
  const labels = labelsFile(dataDir, transactions);
  if (existsSync(out)) return { file: out, made: false };
  await writeSimulation(
    {
      transactions,
      accounts: Math.ceil(transactions / TRANSACTIONS_PER_ACCOUNT),
      merchants: Math.max(MERCHANTS_MIN, Math.ceil(transactions / TRANSACTIONS_PER_MERCHANT)),
      days: DAYS,
      endMs: Math.floor(nowMs / MINUTE_MS) * MINUTE_MS,
      seed: 'sample',
      fraudRate: FRAUD_RATE,
      gifts: GIFTS,
    },
    { out, labels, format: 'csv' },
    signal,
  );
  return { file: out, made: true };
}

/** Reads the idempotency keys of a sample in batches. */
export async function* readKeys(file: string): AsyncGenerator<string[], void> {
  const source = await openSource(file, EACH_COLUMN);
  for await (const { rows } of source.batches(KEYS_OF_PART, 0)) {
    yield rows.map(({ body }) => String(body['idempotency_key']));
  }
}
