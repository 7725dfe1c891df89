/**
 * The requests of one run, made before the clock starts: whole HTTP/1.1 requests, byte for byte, one
 * behind the other in a file. While the clock runs the generator only copies them to a socket, so it
 * costs next to nothing and holds one request a connection in memory.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { transactionWriter } from '../../src/simulate/format.ts';
import { type SimulateOptions, simulate } from '../../src/simulate/simulate.ts';

export type RequestsOptions = {
  readonly file: string;
  readonly host: string;
  readonly apiKey: string;
  /** Transactions a request; 1 posts to the single path. */
  readonly batch: number;
  /** All transactions in one corridor when given. */
  readonly corridor?: string | undefined;
  readonly traffic: SimulateOptions;
};

export type PreparedRequests = {
  readonly file: string;
  /** Byte at which each request starts; one more than there are requests. */
  readonly offsets: Float64Array;
  readonly transactions: number;
};

export async function prepareRequests(options: RequestsOptions): Promise<PreparedRequests> {
  const { file, batch, traffic } = options;
  const stream = createWriteStream(file, { mode: 0o600 });
  const offsets = [0];
  let end = 0;
  for (const rows of batches(options)) {
    const request = encodeRequest(options, rows);
    end += request.byteLength;
    offsets.push(end);
    if (!stream.write(request)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
  const expected = Math.ceil(traffic.transactions / batch);
  if (offsets.length !== expected + 1) {
    throw new Error(`${offsets.length - 1} requests instead of ${expected}`);
  }
  return { file, offsets: Float64Array.from(offsets), transactions: traffic.transactions };
}

function* batches({ batch, corridor, traffic }: RequestsOptions): Generator<string[], void> {
  const { line } = transactionWriter('ndjson');
  let rows: string[] = [];
  for (const row of simulate(traffic)) {
    rows.push(line(corridor === undefined ? row : { ...row, corridor }).trimEnd());
    if (rows.length < batch) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

function encodeRequest({ host, apiKey, batch }: RequestsOptions, rows: readonly string[]): Buffer {
  const path = batch === 1 ? '/v1/transactions' : '/v1/transactions/batch';
  const body = batch === 1 ? (rows[0] ?? '') : `{"transactions":[${rows.join(',')}]}`;
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${apiKey}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
