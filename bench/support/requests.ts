/**
 * The requests of one run, made before the clock starts: whole HTTP/1.1 requests, byte for byte, one
 * behind the other in a file. While the clock runs the generator only copies them to a socket, so it
 * costs next to nothing and holds one request a connection in memory.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createRandom } from '../../src/kit/random.ts';
import { transactionLine } from '../../src/tools/simulate/simulate.ts';
import { requestSizes } from './day.ts';
import { type Traffic, trafficRows } from './traffic.ts';

export type RequestsOptions = Traffic & {
  readonly file: string;
  readonly host: string;
  readonly apiKey: string;
  /** Transactions a request; a day has requests of all sizes. */
  readonly batch: number;
  /** Single posts ask for the score in the answer (`Prefer: wait`); batches never do. */
  readonly waitSeconds?: number | undefined;
};

/** The same for all loads: a short part of a day has few large requests, and parts with fewer of them would cost more. */
const SIZES_SEED = 'day/requests';

export type PreparedRequests = {
  readonly file: string;
  /** Byte at which each request starts; one more than there are requests. */
  readonly offsets: Float64Array;
};

export async function prepareRequests(options: RequestsOptions): Promise<PreparedRequests> {
  const { file, traffic } = options;
  let made = 0;
  function* encodedBatches() {
    for (const rows of batches(options)) {
      made += rows.length;
      yield encodeRequest(options, rows);
    }
  }
  const offsets = await writeRequests(file, encodedBatches());
  if (made !== traffic.transactions) {
    throw new Error(`${made} transactions instead of ${traffic.transactions}`);
  }
  return { file, offsets };
}

/** Writes them one behind the other; returns where each starts, and where the last one ends. */
export async function writeRequests(
  file: string,
  requests: Iterable<Buffer>,
): Promise<Float64Array> {
  const stream = createWriteStream(file, { mode: 0o600 });
  const offsets = [0];
  let end = 0;
  for (const request of requests) {
    end += request.byteLength;
    offsets.push(end);
    if (!stream.write(request)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
  return Float64Array.from(offsets);
}

/** A request without a body. */
export function encodeGet(host: string, apiKey: string, path: string): Buffer {
  const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${apiKey}`];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
}

/** A single post. */
export function encodePost(host: string, apiKey: string, body: string): Buffer {
  return encodeRequest({ host, apiKey }, [body]);
}

function* batches(options: RequestsOptions): Generator<string[], void> {
  const nextSize =
    options.day === true ? requestSizes(createRandom(SIZES_SEED)) : () => options.batch;
  let size = nextSize();
  let rows: string[] = [];
  for (const row of trafficRows(options)) {
    rows.push(transactionLine(row).trimEnd());
    if (rows.length < size) continue;
    yield rows;
    rows = [];
    size = nextSize();
  }
  if (rows.length > 0) yield rows;
}

function encodeRequest(
  options: Pick<RequestsOptions, 'host' | 'apiKey' | 'waitSeconds'>,
  rows: readonly string[],
): Buffer {
  const { host, apiKey, waitSeconds } = options;
  const isSingle = rows.length === 1;
  const path = isSingle ? '/v1/transactions' : '/v1/transactions/batch';
  const body = isSingle ? (rows[0] ?? '') : `{"transactions":[${rows.join(',')}]}`;
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${apiKey}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(waitSeconds === undefined || !isSingle ? [] : [`Prefer: wait=${waitSeconds}`]),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
