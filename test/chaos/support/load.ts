/**
 * Traffic under faults: posts batches from a few connections at a steady rate and sends each again,
 * under the same keys, until it is answered. One batch in twenty is repeated although it was answered:
 * nothing may come of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../../src/kit/random.ts';
import type { SimulatedTransaction } from '../../../src/tools/simulate/simulate.ts';
import { simulate, transactionLine } from '../../../src/tools/simulate/simulate.ts';
import type { Ledger } from './ledger.ts';

/** Every Nth transaction, up to so many, becomes one of an account with this prefix. */
export type Spoiled = {
  readonly every: number;
  readonly account: string;
  readonly most?: number;
};

export type LoadOptions = {
  /** Every API of the engine: an attempt that failed goes to the next one. */
  readonly urls: readonly string[];
  readonly apiKey: string;
  readonly ledger: Ledger;
  readonly seed: string;
  /** Transactions a second over all connections. */
  readonly rate: number;
  readonly batch: number;
  readonly connections: number;
  /** Aborted when the scenario is over, whatever became of it. */
  readonly signal: AbortSignal;
  /** Transactions that the scenario spoils; none when undefined. */
  readonly spoiled?: Spoiled | undefined;
  /** Corridor of every transaction, instead of its account's. */
  readonly corridor?: string | undefined;
  /** Makes the traffic, in place of batches of one size. */
  readonly batches?: typeof makeBatches | undefined;
};

export type Load = ReturnType<typeof startLoad>;

export type Refusal = {
  readonly ms: number;
  readonly hasRetryAfter: boolean;
  /** `detail` of the problem. */
  readonly detail: string;
};

const ACCOUNTS = 2000;
const MERCHANTS = 300;
const DAYS = 20;
/** More than any run posts before its faults are over. */
const ROWS_MAX = 20_000_000;
const REPEATED_SHARE = 0.05;
const ANSWER_TIMEOUT_MS = 5000;
/** How long one batch may go without an answer: far above any restart. */
const GIVE_UP_MS = 120_000;
const RESEND_MS = 50;
const SAMPLES_MAX = 100;
/** A prime, so that any spacing spreads over all accounts: none has a long history because it is spoiled. */
const SPOILED_ACCOUNTS = 499;

export function startLoad(options: LoadOptions) {
  const { ledger, batches: make = makeBatches } = options;
  const endMs = Date.now();
  const batches = make({ ...options, endMs });
  const random = createRandom(`${options.seed}/load`);
  const started = performance.now();
  /** For each refused attempt: how long the refusal took, why it was, and whether it had `Retry-After`. */
  const refusals: Refusal[] = [];
  /** Bodies of some acknowledged transactions by key, to be sent once more at rest. */
  const samples = new Map<string, string>();
  let drawn = 0;
  let finishing = false;

  /** Sends another batch until it is answered. */
  const send = async (batch: Batch) => {
    ledger.note({ kind: 'sent', keys: batch.keys });
    if (batch.spoiled.length > 0) ledger.note({ kind: 'condemned', keys: batch.spoiled });
    await insist(options, batch, refusals);
    if (samples.size < SAMPLES_MAX) samples.set(batch.keys[0] ?? '', batch.rows[0] ?? '');
  };
  const drive = async () => {
    while (!finishing && !options.signal.aborted) {
      const batch = batches.next().value;
      if (batch === undefined) return;
      const dueMs = started + (drawn++ * options.batch * 1000) / options.rate;
      await delay(Math.max(0, dueMs - performance.now()));
      await send(batch);
      if (random() < REPEATED_SHARE) await insist(options, batch, refusals);
    }
  };
  const done = Promise.all(Array.from({ length: options.connections }, drive));
  // finish() reports it; until then a failure must not end the process.
  done.catch(() => undefined);
  return {
    ...{ refusals, samples, send, isFinishing: () => finishing },
    /** Sends again those of its batches that have such a key, as they were. */
    repeat: async (keys: ReadonlySet<string>) => {
      let left = keys;
      for (const batch of make({ ...options, endMs })) {
        if (left.size === 0) return;
        if (!batch.keys.some((key) => left.has(key))) continue;
        await insist(options, batch, refusals);
        left = left.difference(new Set(batch.keys));
      }
    },
    /** Finishes what it has begun to send, then ends; rejects when a request got no final answer. */
    finish: async () => {
      finishing = true;
      await done;
    },
  };
}

export type Batch = {
  readonly keys: readonly string[];
  readonly spoiled: readonly string[];
  readonly rows: readonly string[];
  readonly body: string;
};

export type TrafficOptions = Pick<LoadOptions, 'seed' | 'batch' | 'spoiled' | 'corridor'> & {
  /** When the last of them happened; now by default. */
  readonly endMs?: number;
};

/** Endless for any run; the same seed and end make the same rows. */
export function* makeBatches({
  seed,
  batch,
  spoiled,
  corridor,
  endMs = Date.now(),
}: TrafficOptions): Generator<Batch, undefined> {
  let rows: SimulatedTransaction[] = [];
  let bad: string[] = [];
  let count = 0;
  let left = spoiled?.most ?? Number.POSITIVE_INFINITY;
  const traffic = simulate({
    ...{ transactions: ROWS_MAX, accounts: ACCOUNTS, merchants: MERCHANTS },
    ...{ days: DAYS, endMs, seed, fraudRate: 0.01 },
  });
  for (const drawn of traffic) {
    const row = corridor === undefined ? drawn : { ...drawn, corridor };
    const isSpoiled = spoiled !== undefined && ++count % spoiled.every === 0 && left-- > 0;
    if (isSpoiled) bad.push(row.idempotencyKey);
    rows.push(
      isSpoiled ? { ...row, accountId: `${spoiled.account}_${count % SPOILED_ACCOUNTS}` } : row,
    );
    if (rows.length < batch) continue;
    const lines = rows.map(transactionLine);
    yield {
      ...{ keys: rows.map((each) => each.idempotencyKey), spoiled: bad, rows: lines },
      body: `{"transactions":[${lines.join(',')}]}`,
    };
    rows = [];
    bad = [];
  }
  return undefined;
}

async function insist(
  { urls, apiKey, ledger, signal }: LoadOptions,
  { keys, body }: Batch,
  refusals: Refusal[],
): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const url = urls[attempt % urls.length] ?? '';
    const answer = await post(`${url}/v1/transactions/batch`, apiKey, body);
    switch (answer.kind) {
      case 'ids':
        ledger.note({
          kind: 'acknowledged',
          answers: answer.ids.map((id, at) => ({ key: keys[at] ?? '', transactionId: id })),
        });
        return;
      case 'stopped':
        break;
      case 'refused':
        ledger.note({ kind: 'refused', status: answer.status });
        refusals.push(answer);
        break;
      case 'improper':
        ledger.note(answer);
        break;
      case 'unknown':
        ledger.note(answer);
        break;
    }
    if (performance.now() > deadline) throw new Error('a batch was not answered in time');
    await delay(RESEND_MS);
  }
}

export type Answer =
  /** Transaction ids in the order of the batch. */
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | ({ readonly kind: 'refused'; readonly status: number } & Refusal)
  /** A control refuses the request: nothing is stored, and no fault of the scenario is the cause. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'improper'; readonly status: number; readonly text: string }
  | { readonly kind: 'unknown' };

const TEXT_CHARS_MAX = 300;
const STOPPED = '"urn:risk:problem:scope-stopped"';

export async function post(url: string, apiKey: string, body: string): Promise<Answer> {
  const started = performance.now();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const { status } = response;
    const text = await response.text();
    if (text.includes(STOPPED)) return { kind: 'stopped' };
    if (status === 429 || status === 503) {
      const hasRetryAfter = response.headers.has('retry-after');
      const detail = /"detail":"(.*?)"/.exec(text)?.[1] ?? text.slice(0, TEXT_CHARS_MAX);
      return { kind: 'refused', status, ms: performance.now() - started, hasRetryAfter, detail };
    }
    if (status !== 200) return { kind: 'improper', status, text: text.slice(0, TEXT_CHARS_MAX) };
    const { results } = JSON.parse(text) as { results: { transaction_id: string }[] };
    return { kind: 'ids', ids: results.map((result) => result.transaction_id) };
  } catch {
    return { kind: 'unknown' };
  }
}
