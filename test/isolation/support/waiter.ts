/** Waited decisions at a steady rate: each is due at its time, however long earlier ones take, and its latency counts from there. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../../chaos/support/ledger.ts';
import { makeBatches } from '../../chaos/support/load.ts';

export type WaiterOptions = {
  readonly url: string;
  readonly apiKey: string;
  readonly ledger: Ledger;
  readonly seed: string;
  readonly corridor: string;
  /** Decisions a second. */
  readonly rate: number;
  readonly signal: AbortSignal;
};

export type Decision = {
  /** When it was due, by `performance.now()`. */
  readonly dueMs: number;
  readonly ms: number;
  /** `late`: accepted, and without a score within the wait. */
  readonly outcome: 'scored' | 'late' | 'refused';
};

export type Waiter = ReturnType<typeof startWaiter>;

const WAIT_SECONDS = 5;
/** Where the generator itself stood still for longer, nobody asked meanwhile: what was due is left out. */
const STALL_MS = 250;
const ANSWER_TIMEOUT_MS = 10_000;

export function startWaiter(options: WaiterOptions) {
  const { ledger, rate, signal, seed, corridor } = options;
  const decisions: Decision[] = [];
  const stalls: number[] = [];
  const batches = makeBatches({ seed, batch: 1, corridor });
  const open = new Set<Promise<void>>();
  const over = new AbortController();
  const drive = async () => {
    const startedMs = performance.now();
    for (let n = 0; !over.signal.aborted && !signal.aborted; n++) {
      const dueMs = startedMs + (n * 1000) / rate;
      await delay(Math.max(0, dueMs - performance.now()));
      const stalledMs = performance.now() - dueMs;
      if (stalledMs > STALL_MS) {
        stalls.push(stalledMs);
        n += Math.floor((stalledMs * rate) / 1000) - 1;
        continue;
      }
      const { value } = batches.next();
      const [key = '', body = ''] = [value?.keys[0], value?.rows[0]];
      ledger.note({ kind: 'sent', keys: [key] });
      const asked = decide(options, key, body).then((outcome) => {
        decisions.push({ dueMs, ms: performance.now() - dueMs, outcome });
        open.delete(asked);
      });
      open.add(asked);
    }
    await Promise.all(open);
  };
  const done = drive();
  done.catch(() => undefined);
  return {
    decisions,
    /** How long the generator stood still each time, ms. */
    stalls,
    finish: async () => {
      over.abort();
      await done;
    },
  };
}

type Accepted = { readonly transaction_id: string; readonly score?: unknown };

async function decide(
  { url, apiKey, ledger }: WaiterOptions,
  key: string,
  body: string,
): Promise<Decision['outcome']> {
  try {
    const response = await fetch(`${url}/v1/transactions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        prefer: `wait=${WAIT_SECONDS}`,
      },
      body,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) {
      ledger.note({ kind: 'refused', status: response.status });
      ledger.note({ kind: 'left', as: 'refused', keys: [key] });
      return 'refused';
    }
    const { transaction_id: transactionId, score } = JSON.parse(text) as Accepted;
    ledger.note({ kind: 'acknowledged', answers: [{ key, transactionId }] });
    return score === undefined || score === null ? 'late' : 'scored';
  } catch {
    ledger.note({ kind: 'unknown' });
    ledger.note({ kind: 'left', as: 'unknown', keys: [key] });
    return 'refused';
  }
}
