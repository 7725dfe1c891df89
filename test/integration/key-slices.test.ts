/**
 * Goal: one key, one transaction for ever within the retention, wherever the boundaries of slices fall. Method: claims
 * from several processes' views of the slices while a slice is sealed under them; keys of old slices, with and without
 * filters; slices that vanish.
 */
import { describe, expect, test } from 'vitest';
import { planKeySlices, SLICE_BYTES, tendKeySlices } from '../../src/core/repair/reconcile-duty.ts';
import {
  listKeySlices,
  type Slice,
  sealKeySlice,
} from '../../src/core/store/idempotency-keys/key-slice-rows.ts';
import type {
  KeySlices,
  KeySlicesOptions,
} from '../../src/core/store/idempotency-keys/key-slices.ts';
import { findKnownKeys } from '../../src/core/store/idempotency-keys/key-slices.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import {
  claimTransactions,
  type NewTransaction,
} from '../../src/core/store/transactions/transactions.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openTestDatabase } from '../support/database.ts';
import { insertKey, openSlices } from '../support/key-rows.ts';
import { idAt } from '../support/stored-rows.ts';

const AT_MS = Date.UTC(2026, 2, 10);
const DAY_MS = 86_400_000;
const FINGERPRINT = 'ab'.repeat(16);
const { signal } = new AbortController();

const { testDatabase, database } = await openTestDatabase({ connectionsMax: 20 });
await ensurePartitions(database, [monthOf(AT_MS)]);

function transaction(key: string): NewTransaction {
  return {
    ...{ transactionId: idAt(AT_MS), createdAtMs: AT_MS },
    ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '12.30', currency: 'USD' },
    ...{ corridor: 'US-EG', type: null, ip: null, deviceId: null, country: null, channel: null },
    declared: null,
    ...{ idempotencyKey: key, fingerprint: FINGERPRINT, metadata: null },
  };
}

/** Claims one key for a transaction of its own; returns the stored transaction, and whether it is that one. */
async function claim(slices: KeySlices, key: string): Promise<{ id: string; isNew: boolean }> {
  const row = transaction(key);
  const batch = {
    client: 'shop',
    transactions: [row],
    rows: planRows(idAt(AT_MS), () => 1, [row]),
  };
  const claimed = await claimTransactions(database, slices, batch);
  const held = 'known' in claimed ? claimed.known.get(row) : undefined;
  return { id: held?.transactionId ?? row.transactionId, isNew: held === undefined };
}

async function openSlice(): Promise<number> {
  const [open] = await listKeySlices(database.query);
  return open?.slice ?? -1;
}

const sealOpen = async () => await sealKeySlice(database, await openSlice());

async function age(slice: number, days: number): Promise<void> {
  await testDatabase.sql(
    `update idempotency_slices
        set opened_at = opened_at - make_interval(days => $2), sealed_at = sealed_at - make_interval(days => $2)
      where slice = $1`,
    [slice, days],
  );
}

test('races of one key across boundaries make one transaction each', async () => {
  const processes = Array.from({ length: 4 }, () => openSlices(database));
  const before = (await listKeySlices(database.query)).length;
  const answers = new Map<string, { id: string; isNew: boolean }[]>();
  for (let round = 0; round < 20; round++) {
    const keys = Array.from({ length: 15 }, (_, n) => `race-${round}-${n}`);
    // A process that has just begun knows the newest slice, the others learn of it by being refused.
    processes[round % processes.length] = openSlices(database);
    const sealing = sealOpen();
    const claims = keys.flatMap((key, n) =>
      processes.map(async (_, at) => {
        const slices = processes[(at + n) % processes.length] as KeySlices;
        const answer = await claim(slices, key);
        answers.set(key, [...(answers.get(key) ?? []), answer]);
      }),
    );
    await Promise.all([sealing, ...claims]);
  }
  expect((await listKeySlices(database.query)).length).toBe(before + 20);
  expect(answers.size).toBe(300);
  for (const each of answers.values()) {
    expect(each.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(each.map(({ id }) => id)).size).toBe(1);
  }
  const [stored] = await testDatabase.sql(
    `select (select count(*)::int from idempotency_keys) as keys,
            (select count(distinct digest)::int from idempotency_keys) as digests,
            (select count(*)::int from transactions) as transactions,
            (select count(distinct slice)::int from idempotency_keys) > 10 as in_many_slices`,
  );
  expect(stored).toEqual({ keys: 300, digests: 300, transactions: 300, in_many_slices: true });
});

test.each([
  ['a filter of every slice', 2 ** 24],
  ['no memory for filters', 0],
])('a key of an old slice is held, with %s', async (name, bytesMax) => {
  let filterBytes = Number.NaN;
  const report: KeySlicesOptions['report'] = (usage) => {
    filterBytes = usage.filterBytes;
  };
  const slices = openSlices(database, { bytesMax, report });
  const keys = Array.from({ length: 10 }, (_, n) => `old ${name} ${n}`);
  const first = await Promise.all(keys.map((key) => claim(slices, key)));
  await sealOpen();
  await claim(slices, `the next ${name}`);
  await slices.filtered();
  expect(filterBytes > 0).toBe(bytesMax > 0);
  expect(filterBytes).toBeLessThanOrEqual(bytesMax);
  const again = await Promise.all(keys.map((key) => claim(slices, key)));
  expect(again.map(({ isNew }) => isNew)).toEqual(keys.map(() => false));
  expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  const found = await findKnownKeys(database.query, 'shop', [...keys, 'nobody has it']);
  expect(found.map((key) => key.transactionId).sort()).toEqual(first.map(({ id }) => id).sort());
});

test('sealing waits for a claim that has not committed; if that takes long it gives up', async () => {
  const slice = await openSlice();
  await database.session(async (client) => {
    await client.query('begin');
    await client.query(insertKey(`'shop'`), ['in flight']);
    await expect(sealKeySlice(database, slice)).rejects.toMatchObject({ kind: 'unavailable' });
    const sealing = sealKeySlice(database, slice);
    await client.query('commit');
    expect(await sealing).toBe(true);
  });
  expect(await sealKeySlice(database, slice)).toBe(false);
  expect((await claim(openSlices(database), 'in flight')).isNew).toBe(false);
});

describe('the duty', () => {
  const sliceOf = (slice: number, bytes: number, openedDay: number, sealedDay?: number): Slice => ({
    ...{ slice, bytes, openedAt: new Date(openedDay * DAY_MS) },
    sealedAt: sealedDay === undefined ? null : new Date(sealedDay * DAY_MS),
  });

  test.each([
    ['leaves a small young one open', [sliceOf(1, 1, 91), sliceOf(2, 9, 80, 91)], {}],
    ['seals after an eighth of the retention', [sliceOf(1, 1, 89.9)], { full: 1 }],
    ['leaves an old empty one open', [sliceOf(1, 0, 1)], {}],
    ['seals a full one', [sliceOf(1, SLICE_BYTES, 99)], { full: 1 }],
    [
      'lets slices grow with all that stands',
      [sliceOf(1, SLICE_BYTES, 99), sliceOf(2, 40 * SLICE_BYTES, 98, 99)],
      {},
    ],
    [
      'drops what was sealed before the retention',
      [sliceOf(1, 1, 99), sliceOf(2, 1, 15, 20.1), sliceOf(3, 1, 10, 19.9), sliceOf(4, 1, 1, 5)],
      { expired: [3, 4] },
    ],
  ])('%s', (_name, slices, expected) => {
    const { expired, full } = planKeySlices(slices, 80, 100 * DAY_MS);
    expect({ expired, full }).toEqual({ expired: [], full: undefined, ...expected });
  });

  test('drops whole tables, and only those', async () => {
    const slices = openSlices(database);
    const [before] = await testDatabase.sql<{ slice: number }>(
      'select slice from idempotency_slices where sealed_at is not null order by sealed_at limit 1',
    );
    await claim(slices, 'kept');
    const oldest = before?.slice ?? -1;
    await age(oldest, 91);
    const standing = (await listKeySlices(database.query)).length;
    await tendKeySlices(database, database, 90, () => undefined, signal);
    expect((await listKeySlices(database.query)).length).toBe(standing - 1);
    const [left] = await testDatabase.sql<{ table: string | null }>(
      'select to_regclass($1)::text as table',
      [`idempotency_keys_${oldest}`],
    );
    expect(left?.table).toBeNull();
    expect((await claim(slices, 'kept')).isNew).toBe(false);
  });
});
