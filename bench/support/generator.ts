/**
 * The load generator, a process of its own so that its cost is measured apart: prepares the requests, says so,
 * waits for `go`, posts them over N connections as fast as they are answered (or at a rate), and reports what
 * the client saw. Messages are those of `Message` below, over the channel of fork().
 */
import { open, unlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type HttpConnection, openHttpConnection } from './http-connection.ts';
import { stampTimes } from './live-times.ts';
import { type Percentiles, percentiles } from './percentiles.ts';
import { createRequestReader } from './request-reader.ts';
import { type PreparedRequests, prepareRequests, type RequestsOptions } from './requests.ts';
import { createSchedule } from './schedule.ts';

/** The requests to send: traffic that the generator makes itself, or requests from a file. */
export type RequestSource =
  | ({ readonly kind: 'traffic' } & RequestsOptions)
  | { readonly kind: 'written'; readonly file: string; readonly offsets: readonly number[] };

export type GeneratorOptions = {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Requests a second; 0 is as fast as they are answered. */
  readonly requestsPerSecond: number;
  /** `created_at` is when a transaction is due or sent; otherwise it is the source's. */
  readonly live: boolean;
  /** Accepted transactions whose score is not known yet, above which nothing is sent; absent: as many as there are. */
  readonly aheadMax?: number | undefined;
  /** Stops sending after this time; absent where all is sent. */
  readonly seconds?: number | undefined;
  /** True: no request is sent again, whatever the answer. */
  readonly takesAnyAnswer?: boolean;
  readonly source: RequestSource;
};

export type GeneratorResult = {
  /** Epoch milliseconds. */
  readonly firstRequestMs: number;
  readonly lastAnswerMs: number;
  readonly requests: number;
  readonly accepted: number;
  readonly duplicates: number;
  /** Answers that carried a score. */
  readonly scored: number;
  /** Requests that were answered 429 or 503, or broke, and were sent again. */
  readonly resent: number;
  /** How often each status was the last answer. */
  readonly byStatus: Readonly<Record<number, number>>;
  /**
   * Latency until the whole answer has arrived: from when a request was due where there is a rate, else from
   * when it was sent.
   */
  readonly latencyMs: Percentiles;
  /** How long due requests waited for a free connection; the latency includes it. */
  readonly waitedMs: Percentiles;
  /** Accepted in each second since the first request. */
  readonly acceptedBySecond: readonly number[];
};

export type ToGenerator =
  | { readonly type: 'prepare'; readonly options: GeneratorOptions }
  | { readonly type: 'go' }
  | { readonly type: 'scored'; readonly transactions: number };
export type FromGenerator =
  | { readonly type: 'prepared'; readonly requests: number; readonly bytes: number }
  | { readonly type: 'finished'; readonly result: GeneratorResult };

const RESENDS_MAX = 100;
const RESEND_MS = 100;
/** How long an integrator that sends without pauses has collected a batch. */
const COLLECTED_MS = 50;
/** A timer is as coarse as this, so shorter waits do not use one. */
const TIMER_MS = 1;

/** Scores of the load that are known, and who waits for more of them. */
const scored = { transactions: 0, more: Promise.withResolvers<void>() };

async function post(
  options: GeneratorOptions,
  prepared: PreparedRequests,
): Promise<GeneratorResult> {
  const { offsets, file } = prepared;
  const { aheadMax = Number.POSITIVE_INFINITY } = options;
  const count = offsets.length - 1;
  const latencies = new Float64Array(count);
  const waits = new Float64Array(count);
  const acceptedBySecond: number[] = [];
  const totals = { accepted: 0, duplicates: 0, scored: 0, resent: 0 };
  const byStatus: Record<number, number> = {};
  let next = 0;
  await using handle = await open(file, 'r');
  // Transactions are not sent again, and a long run makes many.
  if (options.source.kind === 'traffic') await unlink(file);
  const readRequest = createRequestReader(handle, offsets);
  const firstRequestMs = Date.now();
  const schedule = createSchedule(performance.now(), options.requestsPerSecond);
  const isOver = () =>
    options.seconds !== undefined &&
    performance.now() - schedule.startedAt >= options.seconds * 1000;
  const stamp = (request: Buffer, index: number) => {
    if (!options.live) return;
    // At a rate, all transactions of a request happen when it is due: latency counts from there.
    const dueMs = firstRequestMs + schedule.dueAt(index) - schedule.startedAt;
    if (options.requestsPerSecond > 0) stampTimes(request, dueMs, 0);
    else stampTimes(request, Date.now(), COLLECTED_MS);
  };

  const drive = async () => {
    const connection = openHttpConnection(options.host, options.port);
    for (let index = next; index < count && !isOver(); index = next) {
      next++;
      while (totals.accepted - scored.transactions >= aheadMax) await scored.more.promise;
      const request = await readRequest(index);
      const waitMs = schedule.untilDueMs(index, performance.now());
      if (waitMs >= TIMER_MS) await delay(waitMs);
      const sentAt = performance.now();
      const dueAt = schedule.beganAt(index, sentAt);
      stamp(request, index);
      const answer = options.takesAnyAnswer
        ? readCounts(await connection.post(request))
        : await insist(connection, request, () => totals.resent++);
      const now = performance.now();
      waits[index] = sentAt - dueAt;
      latencies[index] = now - dueAt;
      byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
      totals.accepted += answer.accepted;
      totals.duplicates += answer.duplicates;
      totals.scored += answer.scored;
      const second = Math.floor((now - schedule.startedAt) / 1000);
      acceptedBySecond[second] = (acceptedBySecond[second] ?? 0) + answer.accepted;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: options.connections }, drive));
  return {
    ...{ firstRequestMs, requests: next, ...totals, byStatus },
    lastAnswerMs: Date.now(),
    latencyMs: percentiles(latencies.subarray(0, next)),
    waitedMs: percentiles(waits.subarray(0, next)),
    acceptedBySecond: Array.from(acceptedBySecond, (seen) => seen ?? 0),
  };
}

type Counts = {
  readonly status: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly scored: number;
};

/**
 * Sends the request until the answer is final. Every transaction has an idempotency key, so repeating is safe.
 */
async function insist(
  connection: HttpConnection,
  request: Uint8Array,
  onResend: () => void,
): Promise<Counts> {
  for (let tries = 1; ; tries++) {
    const answer = await connection.post(request).catch((error: unknown) => String(error));
    if (typeof answer !== 'string') {
      if (answer.status === 201 || answer.status === 200) return readCounts(answer);
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

/**
 * The beginning of an answer: `{"accepted":1000,"duplicates":0,…` of a batch, `{"transaction_id":…,"status":…`
 * of a single one, or what a read returns.
 */
function readCounts({ status, bodyStart }: Answer): Counts {
  const accepted = /"accepted":\s*(\d+)/.exec(bodyStart)?.[1];
  if (accepted !== undefined) {
    const duplicates = /"duplicates":\s*(\d+)/.exec(bodyStart)?.[1];
    return { status, accepted: Number(accepted), duplicates: Number(duplicates ?? 0), scored: 0 };
  }
  const isDuplicate = bodyStart.includes('"status":"duplicate"');
  const scored = bodyStart.includes('"score":{') ? 1 : 0;
  return { status, accepted: status === 201 ? 1 : 0, duplicates: isDuplicate ? 1 : 0, scored };
}

function send(message: FromGenerator): void {
  process.send?.(message);
}

let ready: { options: GeneratorOptions; prepared: PreparedRequests } | undefined;

async function prepare({ source }: GeneratorOptions): Promise<PreparedRequests> {
  if (source.kind === 'traffic') return await prepareRequests(source);
  return { file: source.file, offsets: Float64Array.from(source.offsets) };
}

async function receive(message: ToGenerator): Promise<void> {
  if (message.type === 'prepare') {
    const { options } = message;
    const prepared = await prepare(options);
    ready = { options, prepared };
    const { offsets } = prepared;
    send({ type: 'prepared', requests: offsets.length - 1, bytes: offsets.at(-1) ?? 0 });
    return;
  }
  if (message.type === 'scored') {
    scored.transactions = message.transactions;
    scored.more.resolve();
    scored.more = Promise.withResolvers();
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
