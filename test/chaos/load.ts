/**
 * Traffic under faults: posts batches from a few connections at a steady rate and sends each again,
 * under the same keys, until it is answered. One batch in twenty is repeated although it was answered:
 * nothing may come of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { transactionWriter } from '../../src/simulate/format.ts';
import { createRandom } from '../../src/simulate/random.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { SimulatedTransaction } from '../../src/simulate/transaction.ts';
import type { Ledger } from './ledger.ts';

export type LoadOptions = {
  readonly url: string;
  readonly apiKey: string;
  readonly ledger: Ledger;
  readonly seed: string;
  /** Transactions a second over all connections. */
  readonly rate: number;
  readonly batch: number;
  readonly connections: number;
};

export type Load = {
  /** Sends what it has begun, then ends; rejects when a request could not be brought to an answer. */
  finish(): Promise<void>;
};

const ACCOUNTS = 2000;
const MERCHANTS = 300;
const DAYS = 20;
/** More than any run posts before its rounds are over. */
const ROWS_MAX = 20_000_000;
const REPEATED_SHARE = 0.05;
const ANSWER_TIMEOUT_MS = 5000;
/** How long one batch may go without an answer: far above any restart. */
const GIVE_UP_MS = 90_000;
const RESEND_MS = 50;

export function startLoad(options: LoadOptions): Load {
  const batches = makeBatches(options);
  const random = createRandom(`${options.seed}/load`);
  const started = performance.now();
  let drawn = 0;
  let finishing = false;

  const drive = async () => {
    while (!finishing) {
      const batch = batches.next().value;
      if (batch === undefined) return;
      const dueMs = started + (drawn++ * options.batch * 1000) / options.rate;
      await delay(Math.max(0, dueMs - performance.now()));
      options.ledger.sending(batch.keys);
      await insist(options, batch);
      if (random() < REPEATED_SHARE) await insist(options, batch);
    }
  };
  const done = Promise.all(Array.from({ length: options.connections }, drive));
  // Heard by finish(); until then a failure must not end the process.
  done.catch(() => undefined);
  return {
    finish: async () => {
      finishing = true;
      await done;
    },
  };
}

type Batch = { readonly keys: readonly string[]; readonly body: string };

function* makeBatches({ seed, batch }: LoadOptions): Generator<Batch, undefined> {
  const { line } = transactionWriter('ndjson');
  let rows: SimulatedTransaction[] = [];
  const traffic = simulate({
    ...{ transactions: ROWS_MAX, accounts: ACCOUNTS, merchants: MERCHANTS },
    ...{ days: DAYS, endMs: Date.now(), seed, fraudRate: 0.01 },
  });
  for (const row of traffic) {
    rows.push(row);
    if (rows.length < batch) continue;
    const keys = rows.map((each) => each.idempotencyKey);
    yield { keys, body: `{"transactions":[${rows.map(line).join(',')}]}` };
    rows = [];
  }
  return undefined;
}

async function insist(options: LoadOptions, batch: Batch): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const ids = await post(options, batch).catch((error: unknown) => {
      if (error instanceof Refused) throw error;
      return undefined;
    });
    if (ids !== undefined) {
      options.ledger.acknowledged(
        ids.map((transactionId, index) => ({ key: batch.keys[index] ?? '', transactionId })),
      );
      return;
    }
    options.ledger.indeterminate();
    if (performance.now() > deadline) throw new Error('a batch was not answered in time');
    await delay(RESEND_MS);
  }
}

/** The API answered what no fault excuses: a client error, or a bare 500. */
class Refused extends Error {}

/** Transaction ids in the order of the batch; undefined when it is to be sent again. */
async function post(
  { url, apiKey }: LoadOptions,
  { body }: Batch,
): Promise<readonly string[] | undefined> {
  const response = await fetch(`${url}/v1/transactions/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const text = await response.text();
  if (response.status === 429 || response.status === 503) return undefined;
  if (response.status !== 200) throw new Refused(`answered ${response.status}: ${text}`);
  const { results } = JSON.parse(text) as { results: { transaction_id: string }[] };
  return results.map((result) => result.transaction_id);
}
