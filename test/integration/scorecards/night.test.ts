/**
 * Goal: a night makes the table of a day from rows that are stored and known at 00:00 of the day, with the same bytes each time; a night
 * leaves a whole table or nothing, and a stored table never changes. Method: made days with labels, and a table a day.
 */
import { expect, test } from 'vitest';
import { buildTable, makeAgain, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { KNOWN_FRAUDS_MIN } from '../../../src/core/score/scorecard/scorecard.ts';
import { hashTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import { listHeads, readTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { storeNight } from '../../../src/core/store/scorecards/write-night.ts';
import { createRandom } from '../../../src/kit/random.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { openTestDatabase } from '../../support/database.ts';
import {
  declareFields,
  type MadePayment,
  makeDay,
  nightOf,
  storeKnown,
  storeLabelled,
  storeScored,
} from '../../support/made-days.ts';

const FIRST = 20_600;
const DAYS = 18;
const LAST = FIRST + DAYS;

const { testDatabase, database } = await openTestDatabase();
const { sql } = testDatabase;
await sql(declareFields({ distance: 'number', is_new: 'boolean', secret: 'text' }));
await sql(`insert into personal_fields (field, declared_by) values ('metadata.secret', 'Cy')`);

const { by } = nightOf(FIRST);
const build = (day: number) => buildTable(database, nightOf(day));
const make = (day: number) => makeNight(database, nightOf(day));

/** A day with more payments than it keeps rows. */
const BUSY = FIRST + 5;
/** Payments of other days, which are kept whole: fifty frauds are known two days before the last. */
const A_DAY = 150;
const paymentsOf = (day: number) => (day === BUSY ? 400 : A_DAY);

const payments: MadePayment[] = [];
for (let day = FIRST; day < LAST; day++) {
  const made = makeDay(day, paymentsOf(day));
  await storeLabelled(database, made);
  payments.push(...made);
  if (day < LAST - 1) await build(day + 1);
}
const night = await make(LAST);
const { table } = night;
const dayText = (day: number) => new Date(day * DAY_MS).toISOString();

test('a table a day is built, each of one more day, and the last ones have learnt', async () => {
  const heads = await listHeads(database.query, LAST, 100);
  expect(heads.map(({ day }) => day)).toEqual(
    Array.from({ length: DAYS - 1 }, (_, nth) => LAST - 1 - nth),
  );
  expect(heads.map((head) => head.payments)).toEqual(
    heads.map(({ day }) => payments.filter((of) => of.createdAtMs < day * DAY_MS).length),
  );
  const tables = await Promise.all(heads.map(({ serial }) => readTable(database.query, serial)));
  for (const stored of tables) {
    const { slope, constant } = stored?.table.scorecard ?? {};
    const hasLearnt = (stored?.table.learnt.knownFrauds ?? 0) >= KNOWN_FRAUDS_MIN;
    expect(slope !== 1 && constant !== 0).toBe(hasLearnt);
  }
  expect(tables.filter((stored) => stored?.table.scorecard.slope !== 1).length).toBeGreaterThan(1);
  expect(night.days.map(({ day }) => day)).toEqual([LAST - 1]);
});

test('kept rows of a day are its hardest and a sample, and frauds that became known', async () => {
  const kept = await sql<{ id: string; day: number; share: number | null }>(
    `select transaction_id as id, created_at::date - date '1970-01-01' as day, share from scorecard_rows`,
  );
  const [ofBusy, others] = [true, false].map((is) =>
    kept.filter(({ day }) => (day === BUSY) === is),
  );
  expect(others).toHaveLength(A_DAY * (DAYS - 2));
  expect(new Set(others?.map(({ share }) => share))).toEqual(new Set([1]));
  const shares = Map.groupBy(ofBusy ?? [], ({ share }) => share);
  expect(shares.get(200 / 392)).toHaveLength(200);
  expect(shares.get(1)).toHaveLength(8);
  const frauds = payments.filter(
    (of) => of.isFraud && Math.floor(of.createdAtMs / DAY_MS) === BUSY,
  );
  const ids = new Set(kept.map(({ id }) => id));
  expect(frauds.every(({ id }) => ids.has(id))).toBe(true);
  expect(shares.get(null)?.length).toBeGreaterThan(0);
  expect(shares.get(null)?.every(({ id }) => frauds.some((fraud) => fraud.id === id))).toBe(true);
});

test('the same store gives the same bytes', async () => {
  expect(hashTable((await make(LAST)).bytes)).toBe(hashTable(night.bytes));
});

test('labels that come after 00:00 of the day change nothing', async () => {
  const random = createRandom('coin');
  const late = payments.map((payment) => ({ ...payment, isFraud: random() < 0.5 }));
  await storeKnown(database, late, DAYS + 1);
  expect(hashTable((await make(LAST)).bytes)).toBe(hashTable(night.bytes));
});

test('a night that ends early leaves nothing', async () => {
  const nobody = { ...by, name: ' ' };
  await expect(storeNight(database, night, nobody)).rejects.toThrow('audit_by_somebody');
  const left = await sql(
    `select from scorecards where day = $1 union all select from scorecard_days where day = $2
     union all select from scorecard_rows where created_at >= $2`,
    [dayText(LAST), dayText(LAST - 1)],
  );
  expect(left).toEqual([]);
});

test('a day that has a table gets no other one, and its table stands in the audit log', async () => {
  const { serial } = await build(LAST);
  const stored = await readTable(database.query, serial);
  expect(stored?.table).toEqual(table);
  await expect(build(LAST)).rejects.toMatchObject({ code: 'SCORECARD_EXISTS' });
  await expect(storeNight(database, night, by)).rejects.toMatchObject({ code: 'SCORECARD_EXISTS' });
  const lines = await sql(
    `select who, subject, after ->> 'sha256' as sha256 from audit_log where action = 'scorecard.build'
      order by audit_id desc limit 1`,
  );
  expect(lines).toEqual([
    { who: 'Cy', subject: dayText(LAST).slice(0, 10), sha256: stored?.sha256 },
  ]);
});

test('a table that is made again is the same, a night later too', async () => {
  const before = payments.filter((of) => of.createdAtMs < (LAST - 1) * DAY_MS).length;
  const again = await makeAgain(database, nightOf(LAST - 1));
  expect(again).toMatchObject({ apart: 0, payments: before });
  const never = makeAgain(database, nightOf(LAST + 1));
  await expect(never).rejects.toMatchObject({ code: 'SCORECARD_UNKNOWN' });
});

test('a payment that arrives late enters the next table', async () => {
  const late = makeDay(LAST - 10, 1, 'late');
  await storeScored(database, late);
  const next = await make(LAST + 1);
  expect(next.payments).toBe(night.payments + 1);
  expect(next.days.map(({ day }) => day)).toEqual([LAST - 10]);
  expect(next.rows.ids).toContain(late[0]?.id);
});

test('two nights at a time store one after the other, and nights that stored nothing took no serial', async () => {
  const made = await Promise.all([LAST + 1, LAST + 30].map(make));
  const serials = await Promise.all(made.map((of) => storeNight(database, of, by)));
  expect(serials.sort()).toEqual([DAYS + 1, DAYS + 2]);
});

test('a stored table never changes, and one with another hash is refused', async () => {
  for (const change of [`update scorecards set payments = 1`, 'delete from scorecards'])
    await expect(sql(change)).rejects.toThrow('rows of scorecards are never changed');
  const other =
    sql(`insert into scorecards (serial, day, sha256, bytes, measures, payments, frauds, read_to)
    values (9, '2030-01-01', sha256('\\x00'), '\\x01', '{}', 0, 0, '1')`);
  await expect(other).rejects.toThrow('scorecard_hash_is_sha256');
  expect(await readTable(database.query, 999)).toBeUndefined();
});

test('a night learns of no row, and cuts anew payments, of a table that is damaged or of a newer version', async () => {
  await sql(
    'alter table scorecards disable trigger user, drop constraint scorecard_hash_is_sha256',
  );
  const day = LAST + 2;
  const [{ serial } = { serial: 0 }] = await listHeads(database.query, LAST - 10, 1);
  await storeScored(database, makeDay(LAST + 1, 60), serial);
  const learnt = async () => {
    const { table, rows } = await make(day);
    const fresh = [];
    for await (const page of rows.read(database.query)) fresh.push(...page);
    const { payments, knownFrauds } = table.learnt;
    const byTable = fresh.filter((row) => row.scorecard === serial).length;
    const sum = payments.reduce((total, of) => total + of, 0);
    return { payments: sum, knownFrauds, rows: fresh.length, byTable };
  };
  const all = await learnt();
  expect(all.byTable).toBeGreaterThan(0);
  for (const changed of ['set_byte(bytes, 99, get_byte(bytes, 99) # 1)', 'set_byte(bytes, 0, 2)']) {
    await sql(`update scorecards set bytes = ${changed} where serial = ${serial}`);
    const some = await learnt();
    expect(some.payments).toBeLessThan(all.payments);
    expect(some.knownFrauds).toBe(all.knownFrauds);
    expect([some.rows, some.byTable]).toEqual([all.rows, 0]);
  }
});
