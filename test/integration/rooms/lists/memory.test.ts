/**
 * Goal: what a worker answers from memory is what SQL answers, whatever changes. Method: random lists of every kind, added to,
 * ended and expired between batches of random parties, each compared with a plain statement.
 */
import { createHash } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import type { Parties } from '../../../../src/core/score/rules/rule-inputs.ts';
import { followChanges } from '../../../../src/kit/database/follow-changes.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { EFFECTS, isShared } from '../../../../src/rooms/lists/list.ts';
import { openListMemory } from '../../../../src/rooms/lists/memory/list-memory.ts';
import { KINDS, type Kind } from '../../../../src/rooms/lists/value.ts';
import { insertApproval } from '../../../support/approvals.ts';
import { silentLog } from '../../../support/config.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const ROUNDS = 40;
const random = createRandom('list-memory');
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T;
const LISTS = KINDS.flatMap((kind) => [
  ...EFFECTS.map((effect) => `${kind}-${effect}`),
  `shared-${kind}`,
]);

const testDatabase = await openForFile(createTestDatabase());
const { sql } = testDatabase;
const database = await openForFile(testDatabase.open());
const annKey = (await insertPersonKey(testDatabase, 'Ann', ['analyst'])).split('_')[1] ?? '';
const bobKey = (await insertPersonKey(testDatabase, 'Bob', ['risk_officer'])).split('_')[1] ?? '';
const people = [
  { name: 'Ann', keyId: annKey },
  { name: 'Bob', keyId: bobKey },
];
for (const kind of KINDS) {
  for (const effect of EFFECTS) {
    await sql(
      `insert into lists (name, effect, kind, description, created_by) values ($1, $2, $3, 'a list', 'Ann')`,
      [`${kind}-${effect}`, effect, kind],
    );
  }
  await sql(
    `insert into shared.reference_lists (name, effect, kind, source, source_date, created_by)
     values ($1, 'watch', $2, 'somebody', '2026-11-01', 'me')`,
    [`shared-${kind}`, kind],
  );
}
const changes = followChanges(database, silentLog());
afterAll(() => changes[Symbol.dispose]());
const memory = openListMemory(database, changes, 1);

const id = () => `id-${below(40)}`;
const ip = () =>
  pick([() => `10.0.${below(4)}.${below(32)}`, () => `2001:db8:${below(4)}::${below(16)}`])();
const COUNTRIES = ['US', 'EG', 'NG', 'GB', 'IN'];
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const randomParties = (): Parties => ({
  ...{ accountId: id(), merchantId: id(), deviceId: below(3) === 0 ? null : id() },
  ...{ ip: below(3) === 0 ? null : ip(), country: below(3) === 0 ? null : pick(COUNTRIES) },
});
function randomValue(kind: Kind): string {
  if (kind === 'country') return pick(COUNTRIES);
  if (kind === 'hash') return sha256(id());
  if (kind !== 'address') return id();
  return pick([
    ip,
    () => `10.0.${below(4)}.${8 * below(4)}/29`,
    () => `2001:db8:${below(4)}::/48`,
  ])();
}

async function add(list: string, kind: Kind): Promise<void> {
  const value = randomValue(kind);
  const addresses = kind === 'address' ? value : null;
  const expires = below(4) === 0 ? `clock_timestamp() + interval '150 ms'` : 'null';
  if (isShared(list)) {
    await sql(
      `with bump as (update shared.reference_lists set version = version + 1, bulk_version = version + 1 where name = $1)
       insert into shared.reference_entries (list, value, addresses, reason, expires_at, added_by, valid_from)
       values ($1, $2, $3::inet, 'why', ${expires}, 'me', clock_timestamp()) on conflict do nothing`,
      [list, value, addresses],
    );
    return;
  }
  const isAllow = list.endsWith('allow');
  const approve = (detail: object) => insertApproval(testDatabase, 'list-entry', people, detail);
  await sql(
    `with bump as (update lists set version = version + 1 where name = $1 returning version)
     insert into list_entries (list, value, addresses, reason, expires_at, added_by, added_by_key, added_at, approval_id, valid_from, version)
     select $1, $2, $3::inet, 'why', ${expires}, 'Ann', $4, now(), $5, clock_timestamp(), version from bump on conflict do nothing`,
    [list, value, addresses, annKey, isAllow ? await approve({ list, value }) : null],
  );
}
const end = (list: string) =>
  isShared(list)
    ? sql(
        `update shared.reference_entries set valid_to = clock_timestamp(), ended_by = 'me' where entry_id in
          (select entry_id from shared.reference_entries where list = $1 and valid_to is null limit 1)`,
        [list],
      )
    : sql(
        `with bump as (update lists set version = version + 1 where name = $1)
         update list_entries set valid_to = clock_timestamp(), ended_by = 'Ann' where entry_id in
          (select entry_id from list_entries where list = $1 and valid_to is null limit 1)`,
        [list],
      );
/** Lists of each party, by statements that know no index. */
async function expected(parties: readonly Parties[]): Promise<string[][]> {
  const entries = await sql<{ list: string; kind: Kind; value: string; addresses: string | null }>(
    `select l.name as list, l.kind, e.value from lists l join list_entries e on e.list = l.name
      where e.valid_from <= clock_timestamp() and e.valid_to is null
        and (e.expires_at is null or e.expires_at > clock_timestamp())
     union all
     select l.name, l.kind, e.value from shared.reference_lists l join shared.reference_entries e on e.list = l.name
      where e.valid_to is null and (e.expires_at is null or e.expires_at > clock_timestamp())`,
  );
  const networks = entries.filter(({ kind }) => kind === 'address');
  const hits = await sql<{ nth: number; list: string }>(
    `select p.nth::int4, n.list from unnest($1::text[]) with ordinality as p (ip, nth)
       join unnest($2::text[], $3::text[]) as n (list, value) on n.value::inet >>= p.ip::inet`,
    [
      parties.map((one) => one.ip),
      networks.map(({ list }) => list),
      networks.map(({ value }) => value),
    ],
  );
  return parties.map((one, nth) => {
    const ids = [one.accountId, one.merchantId, one.deviceId].filter((text) => text !== null);
    const has = ({ kind, value }: { kind: Kind; value: string }) =>
      kind === 'hash'
        ? ids.map(sha256).includes(value)
        : kind !== 'address' &&
          value ===
            {
              account: one.accountId,
              merchant: one.merchantId,
              device: one.deviceId,
              country: one.country,
            }[kind];
    const found = [
      ...entries.filter(has).map(({ list }) => list),
      ...hits.filter((hit) => hit.nth === nth + 1).map(({ list }) => list),
    ];
    return [...new Set(found)].toSorted();
  });
}
async function answered(parties: readonly Parties[], by = memory): Promise<string[][]> {
  const answerOf = await by.answers(parties, LISTS);
  return parties.map((_, nth) => LISTS.filter((list) => answerOf(list, nth)).toSorted());
}

/** Compares answers with SQL in a moment in which no entry expires, and returns how many lists the parties are on. */
async function compare(parties: readonly Parties[], by = memory): Promise<number> {
  let listed = 0;
  const isStill = async () => {
    const [before, found, after] = [
      await expected(parties),
      await answered(parties, by),
      await expected(parties),
    ];
    if (JSON.stringify(before) !== JSON.stringify(after)) return false;
    expect(found).toEqual(before);
    listed = found.flat().length;
    return true;
  };
  await waitUntil(isStill, 5000, 'a moment without expiry');
  return listed;
}

test('answers are those of SQL after every change', async () => {
  let listed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let change = 0; change < 12; change++) {
      const kind = pick(KINDS);
      const list = pick([...EFFECTS.map((effect) => `${kind}-${effect}`), `shared-${kind}`]);
      await pick([() => add(list, kind), () => add(list, kind), () => end(list)])();
    }
    const parties = Array.from({ length: 1 + below(90) }, randomParties);
    // The first call may share a reading that began before the last change.
    await memory.refresh();
    await memory.refresh();
    listed += await compare(parties);
  }
  expect(listed).toBeGreaterThan(1000);
});
test('a process that has read nothing answers from Postgres', async () => {
  const parties = Array.from({ length: 20 }, randomParties);
  using own = followChanges(database, silentLog());
  const late = openListMemory(database, own, 2);
  await compare(parties, late);
  expect(late.bytes()).toBe(0);
  expect((await late.answers(parties, ['nothing']))('nothing', 0)).toBeUndefined();
});
