/**
 * Goal: a store of 1.0.0 takes the parties of devices and addresses: an older row is found by its address as before, an older fraud
 * has its device, and a month that was detached meanwhile comes back. Method: a store of the baseline alone, filled by SQL.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { partyOfAddress, tokenOf } from '../../src/core/domain/personal.ts';
import { attachMonth, detachMonth } from '../../src/core/store/partitions/detach-months.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import {
  findRows,
  findStatement,
  type RowSearch,
} from '../../src/core/store/search/search-rows.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { SQL_FOLDER } from '../../src/kit/database/migrations/migration-session.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { idAt } from '../support/stored-rows.ts';
import { folderOfFile } from '../support/temporary-folder.ts';

const [SEPTEMBER, OCTOBER] = [Date.UTC(2026, 8, 7), Date.UTC(2026, 9, 7)];
const MONTHS = { fromMs: Date.UTC(2026, 8, 1), toMs: Date.UTC(2026, 10, 1) };
const IPS = ['203.0.113.7', '203.0.113.8', '2001:db8::7'];

const folder = folderOfFile();
await cp(join(SQL_FOLDER, '0001_market.sql'), join(folder, '0001_market.sql'));
const store = await openForFile(createTestDatabase({ migrated: false }));
const options = { url: store.url, market: store.market, corridors: [] };
await migrate(options, folder);
const database = await openForFile(store.open());
await ensurePartitions(database, [monthOf(SEPTEMBER), monthOf(OCTOBER)]);

const insert = (atMs: number, ip: string, more = '', values = '') =>
  store.sql(
    `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, ip,
                               device_id, client ${more})
     values ($1, $2, $2, 'acc_1', 'm_1', 'US-EG', 1, 'USD', $3, 'phone', 'shop' ${values})`,
    [idAt(atMs, atMs % 1000), new Date(atMs), ip],
  );
const label = (atMs: number, said: string) =>
  store.sql(
    `insert into labels (transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id, client)
     values ($1, $2, $2, $3, 'bank', $2, gen_random_uuid(), 'acc_1', 'm_1', 'shop')`,
    [idAt(atMs, atMs % 1000), new Date(atMs), said],
  );
for (const start of [SEPTEMBER, OCTOBER]) {
  for (const [at, ip] of IPS.entries()) await insert(start + at, ip);
  await label(start, 'fraud');
  await label(start + 1, 'legitimate');
}
await detachMonth(database, monthOf(SEPTEMBER));
expect(await migrate(options)).not.toEqual([]);

const searchOf = (ip: string): RowSearch => ({
  filter: { ip, reason_match: 'any' },
  ...{
    list: 'time',
    isDescending: false,
    range: MONTHS,
    after: null,
    lookedAtMax: 100,
    rows: 100,
  },
});
const find = async (ip: string) =>
  (await findRows(database, searchOf(ip))).found.map(({ atMs }) => atMs);

test('frauds have their device, and other labels none', async () => {
  const rows = await store.sql('select label, device_id, ip_party from labels order by label');
  expect(rows).toEqual([
    { label: 'fraud', device_id: 'phone', ip_party: null },
    { label: 'legitimate', device_id: null, ip_party: null },
  ]);
});

test('a fraud that an API of 1.0.0 reports after the migration has its parties, and voids their snapshots', async () => {
  const at = OCTOBER + 5;
  await insert(at, '203.0.113.9', ', ip_party', `, '203.0.113.0/24'`);
  await label(at, 'fraud');
  const rows = await store.sql('select device_id, ip_party from labels where created_at = $1', [
    new Date(at),
  ]);
  expect(rows).toEqual([{ device_id: 'phone', ip_party: '203.0.113.0/24' }]);
  const voids = await store.sql(`select kind, party from snapshot_voids where kind <> 'every'`);
  expect(voids).toContainEqual({ kind: 'device', party: 'phone' });
  expect(voids).toContainEqual({ kind: 'address', party: '203.0.113.0/24' });
});

test('an address finds its rows of before and since, and no others of its network', async () => {
  await attachMonth(database, monthOf(SEPTEMBER), engineOf('test'));
  for (const [at, ip] of IPS.entries()) {
    const after = OCTOBER + 10 + at;
    await insert(after, ip, ', ip_party', `, '${partyOfAddress(ip)}'`);
    expect(await find(ip)).toEqual([SEPTEMBER + at, OCTOBER + at, after]);
  }
});

test('a search by address follows the index of networks', async () => {
  const { text, values } = findStatement(searchOf('203.0.113.7'));
  const plan = await database.transaction(async (query) => {
    await query({ text: 'set local enable_seqscan = off; set local enable_sort = off' });
    return await query<Record<string, string>>({ text: `explain ${text}` }, values);
  });
  const conditions = plan
    .flatMap(Object.values)
    .filter((line) => /Index Cond: .*coalesce/i.test(line));
  // Two values of the index in each of two months.
  expect(conditions.length).toBe(4);
});

test('the party of an address is its network, as Postgres has networks, and a token is its own', async () => {
  for (const ip of [
    ...IPS,
    '10.0.0.255',
    '::',
    '::1',
    'fe80::1:2:3',
    '2001:db8:a:b:c:d:e:f',
    '1:0:0:2::3',
  ]) {
    const bits = ip.includes(':') ? 64 : 24;
    const [row] = await store.sql<{ same: boolean }>(
      'select $2::inet = network(set_masklen($1::inet, $3)) as same',
      [ip, partyOfAddress(ip), bits],
    );
    expect({ ip, ...row }).toEqual({ ip, same: true });
  }
  const token = tokenOf('ip', '0123456789abcdef0123456789abcdef');
  expect([partyOfAddress(token), partyOfAddress(null)]).toEqual([token, null]);
});
