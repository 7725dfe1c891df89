/** Goal: what the generator sends are whole requests, the same for the same options, and nothing between them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  prepareRequests,
  type RequestsOptions,
  trafficRows,
} from '../../../bench/support/requests.ts';

const TRAFFIC = {
  ...{ transactions: 25, accounts: 5, merchants: 16, days: 2, seed: 'requests', fraudRate: 0 },
  endMs: Date.UTC(2026, 10, 20),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'risk-requests-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function requests(more: Partial<RequestsOptions>): Promise<string[]> {
  const { file, offsets } = await prepareRequests({
    ...{ file: join(folder, 'requests'), host: 'bench', apiKey: 'key', batch: 10 },
    ...{ traffic: TRAFFIC, ...more },
  });
  const bytes = await readFile(file);
  expect(offsets.at(-1)).toBe(bytes.length);
  return Array.from(offsets.subarray(1), (end, at) =>
    bytes.subarray(offsets[at], end).toString('utf8'),
  );
}

describe('prepareRequests()', () => {
  test('writes batches, the last one shorter, each with the length of its body', async () => {
    const all = await requests({});
    const bodies = all.map((request) => {
      const [head = '', body = ''] = request.split('\r\n\r\n');
      expect(head).toMatch(/^POST \/v1\/transactions\/batch HTTP\/1\.1\r\nHost: bench\r\n/);
      expect(Number(/Content-Length: (\d+)/.exec(head)?.[1])).toBe(Buffer.byteLength(body));
      return JSON.parse(body) as { transactions: { idempotency_key: string }[] };
    });
    expect(bodies.map(({ transactions }) => transactions.length)).toEqual([10, 10, 5]);
    const keys = bodies.flatMap(({ transactions }) => transactions.map((t) => t.idempotency_key));
    expect(new Set(keys).size).toBe(25);
    // The end of a key is its place, by which latency.ts finds the request.
    expect(keys.map((key) => Number(key.slice(key.lastIndexOf('_') + 1)))).toEqual(
      Array.from({ length: 25 }, (_, at) => at),
    );
  });

  test('asks for the score of a single post', async () => {
    const all = await requests({ batch: 1, waitSeconds: 2 });
    expect(all).toHaveLength(25);
    expect(all[0]).toMatch(/^POST \/v1\/transactions HTTP.*\r\nPrefer: wait=2\r\n\r\n\{/s);
  });

  test('is the same twice, and another with another seed', async () => {
    const first = await requests({});
    expect(await requests({})).toEqual(first);
    expect(await requests({ traffic: { ...TRAFFIC, seed: 'other' } })).not.toEqual(first);
  });
});

test('trafficRows() lets accounts take turns', () => {
  const rows = [...trafficRows({ traffic: TRAFFIC, accountsInTurn: true })];
  expect(rows.map(({ accountId }) => accountId)).toEqual(
    Array.from({ length: 25 }, (_, at) => `account_${at % 5}`),
  );
});
