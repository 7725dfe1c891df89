/** Goal: a day has the shares of corridors and of requests that it states, and its parties keep their habits. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CORRIDOR_SHARES, REQUEST_SHARES } from '../../../bench/support/day.ts';
import { prepareRequests } from '../../../bench/support/requests.ts';
import { trafficRows } from '../../../bench/support/traffic.ts';
import { CORRIDORS } from '../../../src/tools/simulate/geography.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const TRAFFIC = {
  ...{ transactions: 20_000, accounts: 4000, merchants: 400, days: 10, seed: 'day' },
  ...{ fraudRate: 0, endMs: Date.UTC(2026, 10, 20) },
};
const ROWS = [...trafficRows({ traffic: TRAFFIC, day: true })];

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

test('the shares of corridors and of requests are whole, and each is seen', () => {
  expect(sumOf(Object.values(CORRIDOR_SHARES))).toBeCloseTo(1);
  expect(Object.keys(CORRIDOR_SHARES).toSorted()).toEqual(
    [...new Set(CORRIDORS.map(({ name }) => name))].toSorted(),
  );
  expect(sumOf(REQUEST_SHARES.map(({ share }) => share))).toBeCloseTo(1);
  const transactions = REQUEST_SHARES.map((one) => one.transactions * one.share);
  for (const some of transactions) expect(some / sumOf(transactions)).toBeGreaterThan(0.05);
});

test('the transactions of a day have corridors by their shares', () => {
  for (const [name, share] of Object.entries(CORRIDOR_SHARES)) {
    const own = ROWS.filter(({ corridor }) => corridor === name).length / ROWS.length;
    expect(Math.abs(own - share), name).toBeLessThan(0.012);
  }
});

test('the requests of a day have the stated sizes in their shares, and together all transactions', async () => {
  const { file, offsets } = await prepareRequests({
    file: join(temporaryFolder(), 'requests'),
    host: 'bench',
    apiKey: 'key',
    batch: 1,
    traffic: TRAFFIC,
    day: true,
  });
  const bytes = await readFile(file);
  const sizes = Array.from(offsets.subarray(1), (end, at) => {
    const request = bytes.subarray(offsets[at], end).toString('utf8');
    const size = request.split('"idempotency_key":').length - 1;
    expect(request).toMatch(size === 1 ? /^POST \/v1\/transactions HTTP/ : /^POST \S+\/batch /);
    return size;
  });
  expect(sumOf(sizes)).toBe(TRAFFIC.transactions);
  const stated = REQUEST_SHARES.map(({ transactions }) => transactions);
  expect(sizes.slice(0, -1).filter((size) => !stated.includes(size))).toEqual([]);
  const singles = sizes.filter((size) => size === 1).length / sizes.length;
  expect(Math.abs(singles - (REQUEST_SHARES[0]?.share ?? 0))).toBeLessThan(0.04);
});
