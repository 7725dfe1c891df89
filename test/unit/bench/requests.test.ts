/** Goal: what the generator sends are whole requests, the same for the same options, and nothing between them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stampTimes } from '../../../bench/support/live-times.ts';
import { prepareRequests, type RequestsOptions } from '../../../bench/support/requests.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const TRAFFIC = {
  ...{ transactions: 25, accounts: 5, merchants: 16, days: 2, seed: 'requests', fraudRate: 0 },
  endMs: Date.UTC(2026, 10, 20),
};

async function requests(more: Partial<RequestsOptions>): Promise<string[]> {
  const { file, offsets } = await prepareRequests({
    file: join(temporaryFolder(), 'requests'),
    host: 'bench',
    apiKey: 'key',
    batch: 10,
    traffic: TRAFFIC,
    ...more,
  });
  const bytes = await readFile(file);
  expect(offsets.at(-1)).toBe(bytes.length);
  return Array.from(offsets.subarray(1), (end, at) =>
    bytes.subarray(offsets[at], end).toString('utf8'),
  );
}

test('prepareRequests() writes batches, the last one shorter, each with the length of its body', async () => {
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
  for (const key of keys) {
    expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

describe('stampTimes()', () => {
  const request = () =>
    Buffer.from(
      `{"transactions":[${'{"created_at":"2020-01-01T00:00:00.000Z","a":"é"},'.repeat(4)}]}`,
    );
  const times = (buffer: Buffer) =>
    Array.from(buffer.toString().matchAll(/"created_at":"([^"]+)"/g), ([, time]) => time);

  test('all happen at once, or evenly within a span', () => {
    const untilMs = Date.UTC(2026, 10, 21, 12);
    const at = (ms: number) => new Date(untilMs + ms).toISOString();
    const once = request();
    stampTimes(once, untilMs + 0.7, 0);
    expect(times(once)).toEqual([at(0), at(0), at(0), at(0)]);
    const spread = request();
    stampTimes(spread, untilMs, 40);
    expect(times(spread)).toEqual([at(-30), at(-20), at(-10), at(0)]);
    expect(spread.byteLength).toBe(request().byteLength);
  });
});
