/**
 * Files of the sample that a first start scores: seeded traffic of the month before and its labels, kept in the data folder,
 * so that every later start replays the same file and finds only duplicates. Exchange rates are the same on each of its days.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ExchangeRate } from '../../../kit/client/api-types.ts';
import { writeSimulation } from '../../simulate/command.ts';
import { RATED_CURRENCIES, unitsPerDollar } from '../../simulate/geography.ts';

const DAYS = 30;
const FRAUD_RATE = 0.01;
/** Good customers whom the default rules decline, a few dozen of 20,000 transactions: an analyst has something to improve. */
const GIFTS = { corridor: 'US-EG', share: 0.08 };
const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
/** Rows for an account to have about twenty transactions, and a merchant about seventy. */
const TRANSACTIONS_PER_ACCOUNT = 20;
const TRANSACTIONS_PER_MERCHANT = 70;
const MERCHANTS_MIN = 50;

type Sample = { readonly file: string; readonly made: boolean };

/** The file with the labels that were known when it was made: an investigation takes days, so the newest transactions have none. */
export const labelsFile = (dataDir: string, transactions: number) =>
  join(dataDir, `sample-${transactions}-labels.ndjson.gz`);

export async function readOrMakeSample(
  dataDir: string,
  transactions: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<Sample> {
  const file = join(dataDir, `sample-${transactions}.ndjson.gz`);
  if (existsSync(file)) return { file, made: false };
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
    { out: file, labels: labelsFile(dataDir, transactions), knownByMs: nowMs },
    signal,
  );
  return { file, made: true };
}

const usdOf = (currency: string) => (1 / unitsPerDollar(currency)).toFixed(6);

export function sampleRates(nowMs: number): ExchangeRate[] {
  const days = Array.from({ length: DAYS + 1 }, (_, ago) =>
    new Date(nowMs - ago * DAY_MS).toISOString().slice(0, 10),
  );
  return RATED_CURRENCIES.flatMap((currency) =>
    days.map((day) => ({ day, currency, usd: usdOf(currency) })),
  );
}
