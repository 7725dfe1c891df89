/**
 * The clients of an overload, a process of their own so that neither the suite's work nor theirs is taken for
 * the engine's: prepares its requests, then runs one phase per message. It writes its part of the ledger to a
 * file at the end. Messages are those of the types below.
 */
import { writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerLine } from './ledger.ts';
import { type Batch, makeBatches } from './load.ts';

export type FloodOptions = {
  readonly url: string;
  readonly apiKey: string;
  readonly seed: string;
  /** Transactions a request. */
  readonly batch: number;
  /** Requests made beforehand: more than the engine takes during all of it. */
  readonly batches: number;
  readonly connectionsMax: number;
  readonly ledgerFile: string;
};

export type FloodCommand =
  | { readonly type: 'prepare'; readonly options: FloodOptions }
  /** Drives this many connections, each as fast as it is answered. */
  | { readonly type: 'drive'; readonly connections: number; readonly forMs: number }
  /** Sends transactions at a rate a second, whether they are answered or not. */
  | { readonly type: 'offer'; readonly rate: number; readonly forMs: number }
  | { readonly type: 'finish' };

export type RefusalSeen = {
  readonly ms: number;
  readonly status: number;
  readonly hasRetryAfter: boolean;
  readonly detail: string;
};

export type Phase = {
  readonly seconds: number;
  /** Transactions. */
  readonly offered: number;
  readonly acknowledged: number;
  /** Milliseconds of every 200, in order. */
  readonly answersMs: readonly number[];
  readonly refusals: readonly RefusalSeen[];
  /** Requests that were due while every connection waited for an answer. */
  readonly heldBack: number;
  /** Delay of this process' event loop, p99. */
  readonly clientDelayMs: number;
};

export type FloodReply = { readonly phase?: Phase; readonly batch?: Batch };

type Prepared = { readonly keys: readonly string[]; readonly body: Buffer; isSent: boolean };

const TICK_MS = 5;
const NS_PER_MS = 1e6;
const ANSWER_TIMEOUT_MS = 15_000;

class Client {
  readonly #options: FloodOptions;
  readonly #agent: Agent;
  readonly #made: Generator<Batch, undefined>;
  readonly #ready: Prepared[];
  readonly #lines: LedgerLine[] = [];
  #answersMs: number[] = [];
  #refusals: RefusalSeen[] = [];

  constructor(options: FloodOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connectionsMax });
    const { seed, batch, batches } = options;
    this.#made = makeBatches({ seed, batch });
    this.#ready = Array.from({ length: batches }, () => {
      const { keys, body } = this.#next();
      return { keys, body: Buffer.from(body), isSent: false };
    });
  }

  #next(): Batch {
    const batch = this.#made.next().value;
    if (batch === undefined) throw new Error('traffic has no end');
    return batch;
  }

  async drive(connections: number, forMs: number): Promise<Phase> {
    return await this.#measure(async () => {
      const endMs = performance.now() + forMs;
      const one = async () => {
        while (performance.now() < endMs) await this.#postOne();
      };
      await Promise.all(Array.from({ length: connections }, one));
      return { heldBack: 0, endMs: performance.now() };
    });
  }

  async offer(rate: number, forMs: number): Promise<Phase> {
    return await this.#measure(async (startedMs) => {
      const { batch, connectionsMax } = this.#options;
      const open = new Set<Promise<void>>();
      let [due, heldBack] = [0, 0];
      for (;;) {
        const elapsedMs = performance.now() - startedMs;
        if (elapsedMs >= forMs) break;
        for (; due < (elapsedMs * rate) / batch / 1000; due++) {
          if (open.size >= connectionsMax) {
            heldBack++;
            continue;
          }
          const posted = this.#postOne().finally(() => open.delete(posted));
          open.add(posted);
        }
        await delay(TICK_MS);
      }
      const endMs = performance.now();
      await Promise.all(open);
      return { heldBack, endMs };
    });
  }

  /** Gives up requests that were offered and never accepted. Returns a batch that was not offered. */
  finish(): Batch {
    const left = this.#ready.filter(({ isSent }) => isSent);
    for (const { keys } of left) this.#lines.push({ kind: 'left', as: 'refused', keys });
    const text = this.#lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileSync(this.#options.ledgerFile, text);
    this.#agent.destroy();
    return this.#next();
  }

  async #measure(
    work: (startedMs: number) => Promise<{ heldBack: number; endMs: number }>,
  ): Promise<Phase> {
    this.#answersMs = [];
    this.#refusals = [];
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    const startedMs = performance.now();
    const { heldBack, endMs } = await work(startedMs);
    delays.disable();
    const { batch } = this.#options;
    const [answersMs, refusals] = [this.#answersMs, this.#refusals];
    return {
      ...{ answersMs, refusals, heldBack, seconds: (endMs - startedMs) / 1000 },
      offered: (answersMs.length + refusals.length + heldBack) * batch,
      acknowledged: answersMs.length * batch,
      clientDelayMs: delays.percentile(99) / NS_PER_MS,
    };
  }

  /** Posts one batch and records its outcome. */
  async #postOne(): Promise<void> {
    const batch = this.#ready.shift();
    if (batch === undefined) throw new Error('more was taken than was made');
    if (!batch.isSent) this.#lines.push({ kind: 'sent', keys: batch.keys });
    batch.isSent = true;
    const startedMs = performance.now();
    const answer = await this.#post(batch.body).catch(() => null);
    const ms = performance.now() - startedMs;
    if (answer?.status === 200) {
      const { results } = JSON.parse(answer.text) as { results: { transaction_id: string }[] };
      const answers = results.map((result, at) => ({
        ...{ key: batch.keys[at] ?? '', transactionId: result.transaction_id },
      }));
      this.#lines.push({ kind: 'acknowledged', answers });
      this.#answersMs.push(ms);
      return;
    }
    // A refused batch is the next one again: the client continues with what it has, in the original order.
    this.#ready.unshift(batch);
    if (answer === null) {
      this.#lines.push({ kind: 'unknown' });
      return;
    }
    const { status, text, hasRetryAfter } = answer;
    if (status !== 429 && status !== 503) {
      this.#lines.push({ kind: 'improper', status, text });
      return;
    }
    this.#lines.push({ kind: 'refused', status });
    const { detail } = JSON.parse(text) as { detail: string };
    this.#refusals.push({ ms, status, hasRetryAfter, detail });
  }

  async #post(body: Buffer): Promise<{ status: number; hasRetryAfter: boolean; text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const posted = request(
      `${this.#options.url}/v1/transactions/batch`,
      {
        ...{ agent: this.#agent, method: 'POST', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) },
        headers: {
          authorization: `Bearer ${this.#options.apiKey}`,
          'content-type': 'application/json',
          'content-length': body.byteLength,
        },
      },
      resolve,
    );
    posted.on('error', reject);
    posted.end(body);
    const response = await promise;
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const hasRetryAfter = response.headers['retry-after'] !== undefined;
    const text = Buffer.concat(parts).toString();
    return { status: response.statusCode ?? 0, hasRetryAfter, text };
  }
}

let client: Client | undefined;

async function obey(command: FloodCommand): Promise<FloodReply> {
  if (command.type === 'prepare') {
    client = new Client(command.options);
    return {};
  }
  if (client === undefined) throw new Error('prepare comes first');
  if (command.type === 'finish') return { batch: client.finish() };
  const { forMs } = command;
  const phase =
    command.type === 'drive'
      ? await client.drive(command.connections, forMs)
      : await client.offer(command.rate, forMs);
  return { phase };
}

process.on('message', (command: FloodCommand) => {
  obey(command).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      process.stderr.write(`flood: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
