/**
 * The load generator, a process of its own so that its cost is seen: prepares the requests, says so,
 * waits for `go`, posts them over N connections as fast as they are answered (or at a rate), and
 * reports what the client saw. Messages are those of `Message` below, over the channel of fork().
 */
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type HttpConnection, openHttpConnection } from './http-connection.ts';
import { type Percentiles, percentiles } from './percentiles.ts';
import { type PreparedRequests, prepareRequests, type RequestsOptions } from './requests.ts';

export type GeneratorOptions = RequestsOptions & {
  readonly port: number;
  readonly connections: number;
  /** Transactions a second; 0 is as fast as they are answered. */
  readonly rate: number;
};

export type GeneratorResult = {
  /** Epoch milliseconds. */
  readonly firstRequestMs: number;
  readonly lastAnswerMs: number;
  readonly requests: number;
  readonly accepted: number;
  readonly duplicates: number;
  /** Requests that were answered 429 or 503, or broke, and were sent again. */
  readonly resent: number;
  readonly latencyMs: Percentiles;
  /** Accepted in each second since the first request. */
  readonly acceptedBySecond: readonly number[];
};

export type ToGenerator =
  | { readonly type: 'prepare'; readonly options: GeneratorOptions }
  | { readonly type: 'go' };
export type FromGenerator =
  | { readonly type: 'prepared'; readonly requests: number; readonly bytes: number }
  | { readonly type: 'finished'; readonly result: GeneratorResult };

const RESENDS_MAX = 100;
const RESEND_MS = 100;

async function post(
  options: GeneratorOptions,
  prepared: PreparedRequests,
): Promise<GeneratorResult> {
  const { offsets, file } = prepared;
  const count = offsets.length - 1;
  const latencies = new Float64Array(count);
  const acceptedBySecond: number[] = [];
  let next = 0;
  let resent = 0;
  let accepted = 0;
  let duplicates = 0;
  await using handle = await open(file, 'r');
  const firstRequestMs = Date.now();
  const started = performance.now();

  /** When a request begins: at a rate when it is due, so that a late one counts its own waiting. */
  const begin = async (index: number) => {
    const now = performance.now();
    if (options.rate === 0) return now;
    const dueMs = started + (index * options.batch * 1000) / options.rate;
    if (dueMs - now > 1) await delay(dueMs - now);
    return Math.min(dueMs, performance.now());
  };
  const drive = async () => {
    const connection = openHttpConnection(options.host, options.port);
    const buffer = Buffer.allocUnsafe(largest(offsets));
    for (let index = next++; index < count; index = next++) {
      const from = offsets[index] ?? 0;
      const bytes = (offsets[index + 1] ?? 0) - from;
      await handle.read(buffer, 0, bytes, from);
      const at = await begin(index);
      const answer = await insist(connection, buffer.subarray(0, bytes), () => resent++);
      const now = performance.now();
      latencies[index] = now - at;
      accepted += answer.accepted;
      duplicates += answer.duplicates;
      const second = Math.floor((now - started) / 1000);
      acceptedBySecond[second] = (acceptedBySecond[second] ?? 0) + answer.accepted;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: options.connections }, drive));
  return {
    ...{ firstRequestMs, requests: count, accepted, duplicates, resent },
    lastAnswerMs: Date.now(),
    latencyMs: percentiles(latencies),
    acceptedBySecond: Array.from(acceptedBySecond, (seen) => seen ?? 0),
  };
}

/** Sends until it is answered for good: every transaction has an idempotency key, so that is safe. */
async function insist(
  connection: HttpConnection,
  request: Uint8Array,
  onResend: () => void,
): Promise<{ accepted: number; duplicates: number }> {
  for (let tries = 1; ; tries++) {
    const answer = await connection.post(request).catch((error: unknown) => String(error));
    if (typeof answer !== 'string') {
      if (answer.status === 201) return { accepted: 1, duplicates: 0 };
      if (answer.status === 200) return readCounts(answer.bodyStart);
      if (answer.status !== 429 && answer.status !== 503) {
        throw new Error(`answered ${answer.status}: ${answer.bodyStart}`);
      }
    }
    if (tries === RESENDS_MAX) throw new Error(`gave up after ${tries} tries: ${String(answer)}`);
    onResend();
    const waitMs = typeof answer === 'string' ? 0 : answer.retryAfterSeconds * 1000;
    await delay(Math.max(waitMs, RESEND_MS));
  }
}

/** `{"accepted":1000,"duplicates":0,…` of a batch, or a single one that was there already. */
function readCounts(bodyStart: string): { accepted: number; duplicates: number } {
  const accepted = /"accepted":\s*(\d+)/.exec(bodyStart)?.[1];
  const duplicates = /"duplicates":\s*(\d+)/.exec(bodyStart)?.[1];
  if (accepted === undefined) return { accepted: 0, duplicates: 1 };
  return { accepted: Number(accepted), duplicates: Number(duplicates ?? 0) };
}

function largest(offsets: Float64Array): number {
  let bytes = 0;
  for (let i = 1; i < offsets.length; i++) {
    bytes = Math.max(bytes, (offsets[i] ?? 0) - (offsets[i - 1] ?? 0));
  }
  return bytes;
}

function send(message: FromGenerator): void {
  process.send?.(message);
}

let ready: { options: GeneratorOptions; prepared: PreparedRequests } | undefined;

async function receive(message: ToGenerator): Promise<void> {
  if (message.type === 'prepare') {
    const { options } = message;
    const prepared = await prepareRequests(options);
    ready = { options, prepared };
    const { offsets } = prepared;
    send({ type: 'prepared', requests: offsets.length - 1, bytes: offsets.at(-1) ?? 0 });
    return;
  }
  if (ready === undefined) throw new Error('go before prepare');
  send({ type: 'finished', result: await post(ready.options, ready.prepared) });
}

process.on('message', (message: ToGenerator) => {
  receive(message).catch((error: unknown) => {
    process.stderr.write(`generator: ${String(error)}\n`);
    process.exit(1);
  });
});
