/**
 * Goal: a stream of lines refuses only what is bad, in order, in chunks, in constant memory. Method: an
 * API process; the request is written by hand where its pace matters.
 */
import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { RUNNING_API_KEY, spawnRunningApi } from '../support/running-api.ts';
import { count, type Input, input, postOne, send } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const TIMEOUT_MS = 2000;

const api = await openForFile(spawnRunningApi({ RISK_REQUEST_TIMEOUT_MS: String(TIMEOUT_MS) }));

type Line = {
  readonly index?: number;
  readonly status?: string;
  readonly transaction_id?: string;
  readonly errors?: readonly { pointer: string; detail: string }[];
  readonly done?: true;
  readonly accepted?: number;
  readonly duplicates?: number;
  readonly refused?: number;
};

const parse = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

async function postLines(text: string | Uint8Array<ArrayBuffer>, headers = {}): Promise<Line[]> {
  const response = await api.request('/v1/transactions/batch', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', ...headers },
    body: text,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/x-ndjson',
  ]);
  return parse(await response.text());
}

const lines = (inputs: readonly Input[]) =>
  inputs.map((one) => `${JSON.stringify(one)}\n`).join('');

/** A request whose body the test writes when it wants to. */
function openStream(key = RUNNING_API_KEY) {
  let received = '';
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const request = httpRequest(`${api.url}/v1/transactions/batch`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/x-ndjson',
    },
  });
  request.on('response', (response) => {
    response.setEncoding('utf8');
    response.on('data', (part) => {
      received += part;
    });
    response.on('close', () => resolve(received));
  });
  request.on('error', () => resolve(received));
  return { request, received: () => parse(received), ended: ended.then(parse) };
}

describe('lines', () => {
  test('are answered in order; a bad line refuses only itself', async () => {
    const known = input();
    const { body } = await postOne(api, known);
    const [first, second] = [input(), input()];
    const answer = await postLines(
      [
        JSON.stringify(first),
        'nonsense',
        '',
        JSON.stringify({ ...known, amount: '1.00' }),
        `  ${JSON.stringify(known)}  \r`,
        JSON.stringify(first),
        JSON.stringify({ ...first, amount: '1.00' }),
        JSON.stringify(input({ amount: 1, corridor: 'x' })),
        JSON.stringify(input({ idempotency_key: undefined })),
        JSON.stringify(input({ corridor: 'ZZ-ZZ', created_at: '2099-01-01T00:00:00Z' })),
        JSON.stringify(second),
      ].join('\n'),
    );
    expect(answer.map(({ index, status }) => [index, status])).toEqual([
      [0, 'accepted'],
      [1, 'invalid'],
      [2, 'conflict'],
      [3, 'duplicate'],
      [4, 'duplicate'],
      [5, 'conflict'],
      [6, 'invalid'],
      [7, 'invalid'],
      [8, 'invalid'],
      [9, 'accepted'],
      [undefined, undefined],
    ]);
    expect(answer[3]?.transaction_id).toBe(body.transaction_id);
    const details = [2, 5].map((index) => answer[index]?.errors?.[0]?.detail);
    expect(details).toEqual([
      expect.stringContaining(
        `the key of transaction ${body.transaction_id}, whose amount differs`,
      ),
      expect.stringContaining(`${answer[0]?.transaction_id}, whose amount differs`),
    ]);
    expect(answer[4]?.transaction_id).toBe(answer[0]?.transaction_id);
    expect(answer[6]?.errors?.map(({ pointer }) => pointer).sort()).toEqual([
      '/amount',
      '/corridor',
    ]);
    expect(answer[8]?.errors?.map(({ pointer }) => pointer)).toEqual(['/corridor', '/created_at']);
    expect(answer.at(-1)).toEqual({
      ...{ done: true, accepted: 2, duplicates: 2, refused: 6 },
    });
  });

  test('sent with return=minimal come back only when refused', async () => {
    const inputs = Array.from({ length: 1200 }, () => input());
    inputs[1100] = input({ amount: '0' });
    const answer = await postLines(lines(inputs), { Prefer: 'return=minimal' });
    expect(answer).toEqual([
      {
        index: 1100,
        status: 'invalid',
        errors: [{ pointer: '/amount', detail: expect.any(String) }],
      },
      {
        ...{ done: true, accepted: 1199, duplicates: 0, refused: 1 },
      },
    ]);
  });
});

describe('a stream', () => {
  test('is answered while it is still being sent', async () => {
    const stream = openStream();
    stream.request.write(lines([input(), input()]));
    await waitUntil(() => stream.received().length === 2, 5000, 'two answers');
    stream.request.end(lines([input()]));
    expect((await stream.ended).at(-1)).toMatchObject({ done: true, accepted: 3 });
  });

  test('whose client goes away stops; the API goes on', async () => {
    const stream = openStream();
    stream.request.write(lines(Array.from({ length: 1500 }, () => input())));
    await waitUntil(() => stream.received().length > 0, 5000, 'an answer');
    stream.request.destroy();
    expect((await postOne(api, input())).status).toBe(201);
    expect(api.log()).not.toMatch(/bug|"level":50/);
  });

  test('of forty thousand lines stays within the memory of a few chunks', async () => {
    const rss = async () => {
      const text = await (await api.request('/metrics')).text();
      return Number(/^risk_process_resident_memory_bytes\S* (\S+)/m.exec(text)?.[1]);
    };
    await postLines(lines(Array.from({ length: 5000 }, () => input())));
    const before = await rss();
    const stream = openStream();
    for (let n = 0; n < 40; n++) {
      const more = lines(Array.from({ length: 1000 }, () => input({ device_id: 'd'.repeat(100) })));
      if (!stream.request.write(more)) {
        await new Promise((resolve) => stream.request.once('drain', resolve));
      }
    }
    stream.request.end();
    expect((await stream.ended).at(-1)).toMatchObject({ accepted: 40_000, refused: 0 });
    expect((await rss()) - before).toBeLessThan(150e6);
  });

  test('of lines stores nothing more once its key is revoked', async () => {
    const wished = { roles: ['ingest'], owner: 'me', client: 'shop' };
    const { body: made } = await send(api, 'POST', '/v1/keys', wished);
    const stream = openStream(made.key);
    let hasEnded = false;
    const ended = stream.ended.finally(() => {
      hasEnded = true;
    });
    const write = () => stream.request.write(lines([input()]));
    write();
    await waitUntil(() => stream.received().length > 0, 5000, 'the first answer');
    expect((await send(api, 'DELETE', `/v1/keys/${made.key_id}`)).status).toBe(204);
    const isOver = () => hasEnded || (write() && false);
    await waitUntil(isOver, 2000, 'the end of the stream');
    const answered = await ended;
    expect(answered.some(({ done }) => done === true)).toBe(false);
    expect(await count(api, "transactions where client = 'shop'")).toBe(answered.length);
    expect(api.log()).not.toMatch(/bug|"level":50/);
  });
});
