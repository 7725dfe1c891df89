/**
 * Goal: each row of a file is answered exactly once and none is left out, whatever the API or the network does.
 * Method: the client against a small server that keeps the API's contract of batches (keys, bad rows) and
 * misbehaves on command. The real API is met in replay.test.ts.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { transactionProjection } from '../../src/core/domain/file-rows.ts';
import { createApiClient } from '../../src/kit/client/api-client.ts';
import { nothingPosted, type PostOptions, postFile } from '../../src/kit/client/post-file.ts';
import { openSource } from '../../src/kit/client/rows.ts';
import { folderOfFile } from '../support/temporary-folder.ts';

type Body = Readonly<Record<string, string>>;
/** Reactions of the server to a request: `serve` is the contract. */
type Behaviour = (
  request: { serve: () => void; cut: () => void; body: string },
  response: ServerResponse,
) => void;

const PLAIN = transactionProjection({ columns: {}, constants: {} });
/** Errors of one answer, as of the API. */
const ERRORS_MAX = 100;
const folder = folderOfFile();

async function startApi(behaviour: Behaviour = ({ serve }) => serve()) {
  const stored = new Map<string, string>();
  const store = (row: Body) => {
    const key = row['idempotency_key'] ?? '';
    const known = stored.get(key);
    const transactionId = known ?? randomUUID();
    stored.set(key, transactionId);
    return {
      transaction_id: transactionId,
      status: known === undefined ? 'accepted' : 'duplicate',
    };
  };
  /** The second of two rows with one key has another body. */
  const isRival = (rows: readonly Body[], index: number) =>
    rows.some(
      (row, at) => at !== index && row['idempotency_key'] === rows[index]?.['idempotency_key'],
    );
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    const rows: Body[] = JSON.parse(body).transactions;
    const refuse = (
      type: string,
      field: string,
      detail: string,
      isWrong: (index: number) => boolean,
    ) => {
      const wrong = rows
        .flatMap((_, index) => (isWrong(index) ? [index] : []))
        .slice(0, ERRORS_MAX);
      const errors = wrong.map((index) => ({ pointer: `/transactions/${index}${field}`, detail }));
      const problem = { type: `urn:risk:problem:${type}`, title: 'Invalid', errors };
      if (wrong.length > 0) response.writeHead(422).end(JSON.stringify(problem));
      return wrong.length > 0;
    };
    const storeAll = () => rows.map((row, index) => ({ index, ...store(row) }));
    const serve = () => {
      const isInvalid = (index: number) => !(Number(rows[index]?.['amount']) > 0);
      if (refuse('invalid-fields', '/amount', 'must be greater than zero', isInvalid)) return;
      const once = 'must be used once';
      if (refuse('key-conflict', '/idempotency_key', once, (index) => isRival(rows, index))) return;
      response.end(JSON.stringify({ results: storeAll() }));
    };
    const cut = () => {
      storeAll();
      response.destroy();
    };
    behaviour({ serve, cut, body }, response);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function csvFile(rows: number, badLines: readonly number[] = []): string {
  const lines = Array.from({ length: rows }, (_, index) =>
    [
      `k${index}`,
      `a${index % 7}`,
      'm1',
      badLines.includes(index + 2) ? '0' : '1.25',
      'USD',
      'US-EG',
    ].join(','),
  );
  const path = join(folder, 'rows.csv');
  writeFileSync(
    path,
    `idempotency_key,account_id,merchant_id,amount,currency,corridor\n${lines.join('\n')}\n`,
  );
  return path;
}

async function replay(
  url: string,
  path: string,
  options: Partial<PostOptions> = {},
  known = nothingPosted(),
) {
  const signal = options.signal ?? new AbortController().signal;
  const client = createApiClient({ url, key: 'secret', signal });
  const counts = { accepted: 0, duplicates: 0, repeated: 0 };
  const route = {
    ...{ path: '/v1/transactions/batch', member: 'transactions' },
    accepted: (body: { results?: { status?: string }[] }, rows: number, repeated: boolean) => {
      expect(body.results).toHaveLength(rows);
      for (const { status } of body.results ?? []) {
        if (status === 'accepted') counts.accepted++;
        else counts.duplicates++;
        if (status !== 'accepted' && repeated) counts.repeated++;
      }
    },
  };
  const posted = await postFile(
    client,
    await openSource(path, PLAIN),
    {
      batchRows: 50,
      connections: 4,
      rowsPerSecond: null,
      outageMsMax: 5_000,
      signal,
      onProgress: () => undefined,
      onWaiting: () => undefined,
      ...options,
    },
    route,
    known,
  );
  return { ...posted, ...counts };
}

/** Lets through all but every `nth` request, which the fault takes. */
function every(nth: number, fault: Behaviour): Behaviour {
  let count = 0;
  return (request, response) => {
    if (++count % nth === 0) fault(request, response);
    else request.serve();
  };
}

test.each([
  [
    '503 with Retry-After',
    (_request, response) => response.writeHead(503, { 'retry-after': '0' }).end(),
  ],
  ['429', (_request, response) => response.writeHead(429, { 'retry-after': '0' }).end()],
  ['500', (_request, response) => response.writeHead(500).end()],
  ['a connection cut before anything was stored', (_request, response) => response.destroy()],
] satisfies [string, Behaviour][])('postFile survives %s', async (_name, fault) => {
  await using api = await startApi(every(3, fault));
  const result = await replay(api.url, csvFile(400));
  expect(result.accepted).toBe(400);
  expect(result.duplicates).toBe(0);
});

test('postFile remembers ids that a cut connection may have accepted', async () => {
  await using api = await startApi(every(3, ({ cut }) => cut()));
  const result = await replay(api.url, csvFile(400));
  expect(result.accepted + result.repeated).toBe(400);
  expect(result.repeated).toBeGreaterThan(0);
  expect(result.duplicates).toBe(result.repeated);
});

test('postFile counts rows whose answer did not come before it was stopped', async () => {
  const stop = new AbortController();
  await using api = await startApi(every(3, () => stop.abort()));
  const posted = nothingPosted();
  const options = { signal: stop.signal, connections: 1 };
  await expect(replay(api.url, csvFile(400), options, posted)).rejects.toThrow();
  expect(posted).toMatchObject({ refused: 0, unanswered: 50 });
});

test('postFile refuses a bad row alone and names its line', async () => {
  await using api = await startApi();
  const result = await replay(api.url, csvFile(300, [17, 222]));
  expect(result.accepted).toBe(298);
  expect(result.refused).toBe(2);
  expect(result.refusedFirst).toEqual([
    { line: 17, detail: '/amount must be greater than zero' },
    { line: 222, detail: '/amount must be greater than zero' },
  ]);
});

test('postFile stores the first of rows that have one key and different bodies', async () => {
  const path = join(folder, 'rivals.ndjson');
  const row = { account_id: 'a', merchant_id: 'm', currency: 'USD', corridor: 'US-EG' };
  const amounts = ['1.00', '2.00', '3.00'];
  const lines = amounts.map((amount) => JSON.stringify({ ...row, idempotency_key: 'k', amount }));
  writeFileSync(path, lines.join('\n'));
  await using api = await startApi();
  const result = await replay(api.url, path);
  expect(result).toMatchObject({ accepted: 1, refused: 2 });
  expect(result.refusedFirst.map(({ line }) => line)).toEqual([2, 3]);
});

test('postFile halves a batch that is too large', async () => {
  await using api = await startApi(({ serve, body }, response) => {
    if (JSON.parse(body).transactions.length > 10) response.writeHead(413).end();
    else serve();
  });
  expect((await replay(api.url, csvFile(100))).accepted).toBe(100);
});

test('postFile refuses a row alone that spoils its batch, though the answer names it in a small one only', async () => {
  await using api = await startApi(({ serve, body }, response) => {
    const rows: Body[] = JSON.parse(body).transactions;
    if (rows.length < 4 || !rows.some(({ amount }) => amount === '0')) return serve();
    const errors = [{ pointer: '', detail: 'must have at most 32 levels, not 40' }];
    response.writeHead(422).end(JSON.stringify({ title: 'Invalid', errors }));
  });
  const result = await replay(api.url, csvFile(300, [17, 222]));
  expect([result.accepted, result.refused]).toEqual([298, 2]);
  expect(result.refusedFirst.map(({ line }) => line)).toEqual([17, 222]);
});

test('postFile stops at an answer that no retry cures, with the words of the API', async () => {
  await using api = await startApi((_request, response) => {
    response.writeHead(401).end(JSON.stringify({ title: 'Unauthorized', detail: 'unknown key' }));
  });
  await expect(replay(api.url, csvFile(10))).rejects.toThrow('401: Unauthorized: unknown key');
});

test('postFile gives up when nothing succeeds for as long as outages may last', async () => {
  await using api = await startApi((_request, response) => response.writeHead(503).end());
  const reasons: string[] = [];
  const onWaiting = (reason: string) => reasons.push(reason);
  const replaying = replay(api.url, csvFile(10), { outageMsMax: 900, onWaiting });
  await expect(replaying).rejects.toThrow('nothing succeeded');
  expect(reasons).toEqual(['the API answered 503']);
});

test('postFile keeps to the rate', async () => {
  await using api = await startApi();
  const startedMs = performance.now();
  await replay(api.url, csvFile(300), { rowsPerSecond: 500 });
  // Six batches of 50: the last may leave 500 ms after the first.
  expect(performance.now() - startedMs).toBeGreaterThan(480);
});
