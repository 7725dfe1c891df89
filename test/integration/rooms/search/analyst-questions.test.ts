/**
 * Goal: an analyst finds the riskiest transactions of a corridor with their reasons, and the ring around a device, by at most three
 * requests each. Method: the commands of docs/search.md, with other ids, on an API and a worker that scored a ring.
 */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type {
  DeviceProfile,
  FoundScore,
  FoundTransaction,
  TransactionDetail,
} from '../../../../src/kit/client/api-types.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { input, postBatch } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { readText } from '../../../unit/ship/ship-files.ts';

const PATIENCE_MS = 30_000;
vi.setConfig({ testTimeout: 4 * PATIENCE_MS, hookTimeout: 10 * PATIENCE_MS });
const REQUESTS_MAX = 3;
/** The device that the document names. */
const DEVICE = 'device-4f2a';
const ACCOUNTS = ['ring_1', 'ring_2', 'ring_3', 'ring_4'];
const MERCHANTS = ['shop_1', 'shop_2'];
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const sh = promisify(execFile);

const [riskiest = '', ring = ''] = [
  ...readText('docs/search.md').matchAll(/```sh\n([\s\S]*?)```/g),
].map(([, block]) => block);

/** The requests of a block of the document, each with its continuation lines. */
const requestsOf = (block: string) =>
  block
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line.startsWith('curl '));

const opened = new AsyncDisposableStack();
let api: RunningApi;

beforeAll(async () => {
  api = opened.use(await startRunningApi());
  opened.use(api.startWorker());
  const shared = ACCOUNTS.flatMap((account_id) =>
    MERCHANTS.map((merchant_id) => input({ account_id, merchant_id, device_id: DEVICE })),
  );
  const others = Array.from({ length: 12 }, (_, n) =>
    input({
      ...{
        account_id: n < 6 ? 'busy' : `calm_${n}`,
        merchant_id: `other_${n}`,
        amount: `${n + 1}.00`,
      },
      ...(n % 4 === 3 ? { corridor: 'US-MX' } : {}),
    }),
  );
  const elsewhere = input({
    account_id: 'ring_1',
    merchant_id: 'shop_3',
    device_id: 'device-0001',
  });
  const sent = [...shared, ...others, elsewhere];
  await waitUntil(async () => (await postBatch(api, sent)).status === 200, PATIENCE_MS, 'the post');
  await waitUntil(
    async () => {
      const [row] = await api.testDatabase.sql<{ rows: number }>(
        'select count(*)::int as rows from scores',
      );
      return row?.rows === sent.length;
    },
    PATIENCE_MS,
    'all to be scored',
  );
});
afterAll(() => opened[Symbol.asyncDispose]());

async function ask<Answer>(request: string | undefined, id = ''): Promise<Answer> {
  const env = { ...process.env, RISK_URL: api.url, RISK_API_KEY: RUNNING_API_KEY, ID: id };
  const { stdout } = await sh('sh', ['-c', request ?? 'false'], { env, encoding: 'utf8' });
  return JSON.parse(stdout) as Answer;
}

describe.skipIf(!hasCurl)('in three requests at most', () => {
  test('the ten riskiest of a corridor today, and why', async () => {
    const requests = requestsOf(riskiest);
    expect(requests).toHaveLength(REQUESTS_MAX - 1);
    const [list, one] = requests;
    // A search ends after 200 ms, which may be too short for a first one on a busy machine.
    let page: { items: FoundScore[]; complete: boolean } = { items: [], complete: false };
    await waitUntil(
      async () => {
        page = await ask(list);
        return page.complete;
      },
      PATIENCE_MS,
      'a complete page',
    );
    const { items } = page;
    const stored = await api.testDatabase.sql<{ id: string; score: number }>(
      `select transaction_id as id, score from scores where corridor = 'US-EG' order by score desc, transaction_id desc limit 10`,
    );
    expect(items.map((item) => ({ id: item.transaction_id, score: item.score }))).toEqual(stored);
    const [first] = items;
    expect(first?.reasons.length).toBeGreaterThan(0);
    const { explanation } = await ask<TransactionDetail>(one, first?.transaction_id);
    const fired = explanation?.rules.filter((rule) => rule.fired).map(({ code }) => code);
    const reasons = first?.reasons.map(({ code }) => code);
    expect(fired).toEqual(expect.arrayContaining(reasons ?? []));
    expect(explanation?.features.length).toBeGreaterThan(20);
  });

  test('the ring around a device: its transactions, and the accounts and merchants that share it', async () => {
    const requests = requestsOf(ring);
    expect(requests).toHaveLength(REQUESTS_MAX);
    const [profile, list, near] = requests;
    const { windows } = await ask<DeviceProfile>(profile);
    const rows = ACCOUNTS.length * MERCHANTS.length;
    expect(windows[0]).toMatchObject({ transactions: rows, counterparties: ACCOUNTS.length });
    const { items, total } = await ask<{ items: FoundTransaction[]; total: object }>(list);
    expect(total).toEqual({ count: rows, more: false });
    const distinct = (values: readonly string[]) => [...new Set(values)].sort();
    expect(distinct(items.map((item) => item.account_id))).toEqual(ACCOUNTS);
    expect(distinct(items.map((item) => item.merchant_id))).toEqual(MERCHANTS);
    const own = items.find((item) => item.account_id === 'ring_1');
    const { neighbours } = await ask<TransactionDetail>(near, own?.transaction_id);
    const beyond = neighbours?.account.items.find((item) => item.merchant_id === 'shop_3');
    expect(beyond?.relations).toEqual(['account']);
  });
});
