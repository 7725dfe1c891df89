/**
 * Goal: a night makes the table of a day from what is stored and known at 00:00 of the day, the same bytes each time, and leaves a table
 * or nothing. Method: made days with labels, a table a day, and SQL that counts anew.
 */
import { expect, test } from 'vitest';
import { buildTable, makeAgain, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { liftOf, tailBucket } from '../../../src/core/score/scorecard/day-evidence.ts';
import { KNOWN_FRAUDS_MIN } from '../../../src/core/score/scorecard/scorecard.ts';
import { hashTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import { listHeads, readTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { storeNight } from '../../../src/core/store/scorecards/write-night.ts';
import { createRandom } from '../../../src/kit/random.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { createTestDatabase } from '../../support/database.ts';
import { type MadePayment, makeDay, storeKnown, storeScored } from '../../support/made-days.ts';
import { openForFile } from '../../support/open-for-file.ts';

const FIRST = 20_600;
const DAYS = 18;
const LAST = FIRST + DAYS;
const MATURITY_DAYS = 7;
const DELAY_DAYS = 3;
const by = { name: 'Cy', keyId: null, request: 'test' };

const database = await openForFile(createTestDatabase());
const pool = await openForFile(Promise.resolve(database.open()));
await database.sql(`insert into metadata_fields (name, type, description, declared_by) values
  ('distance', 'number', 'd', 'Cy'), ('is_new', 'boolean', 'n', 'Cy'), ('secret', 'text', 's', 'Cy')`);
await database.sql(
  `insert into personal_fields (field, declared_by) values ('metadata.secret', 'Cy')`,
);

const options = (day: number) => ({
  ...{ day, maturityDays: MATURITY_DAYS, by },
  signal: new AbortController().signal,
});
const build = (day: number) => buildTable(pool, options(day));
const make = (day: number) => makeNight(pool, options(day));

/** A day with more payments than it keeps rows. */
const BUSY = FIRST + 5;
/** Payments of other days, which are kept whole: fifty frauds are known two days before the last. */
const A_DAY = 150;
const paymentsOf = (day: number) => (day === BUSY ? 400 : A_DAY);

const payments: MadePayment[] = [];
for (let day = FIRST; day < LAST; day++) {
  const made = makeDay(day, paymentsOf(day));
  await storeScored(pool, made);
  await storeKnown(pool, made, DELAY_DAYS);
  payments.push(...made);
  if (day < LAST - 1) await build(day + 1);
}
const night = await make(LAST);
const { table } = night;
const dayText = (day: number) => new Date(day * DAY_MS).toISOString();

test('a table a day is built, each of one more day, and the last ones have learnt', async () => {
  const heads = await listHeads(pool.query, LAST, 100);
  expect(heads.map(({ day }) => day)).toEqual(
    Array.from({ length: DAYS - 1 }, (_, nth) => LAST - 1 - nth),
  );
  expect(heads.map((head) => head.payments)).toEqual(
    heads.map(({ day }) => payments.filter((of) => of.createdAtMs < day * DAY_MS).length),
  );
  const tables = await Promise.all(heads.map(({ serial }) => readTable(pool.query, serial)));
  for (const stored of tables) {
    const { slope, constant } = stored?.table.scorecard ?? {};
    const hasLearnt = (stored?.table.learnt.knownFrauds ?? 0) >= KNOWN_FRAUDS_MIN;
    expect(slope !== 1 && constant !== 0).toBe(hasLearnt);
  }
  expect(tables.filter((stored) => stored?.table.scorecard.slope !== 1).length).toBeGreaterThan(1);
  expect(night.days.map(({ day }) => day)).toEqual([LAST - 1]);
});

test('counts agree with SQL', async () => {
  const matured = LAST - MATURITY_DAYS - 1;
  const counts = await database.sql<{ value: string; payments: number; frauds: number }>(
    `select type as value, count(*) filter (where created_at <= $1)::int as payments,
            count(*) filter (where created_at <= $1 and exists (select from labels l
              where l.transaction_id = t.transaction_id and l.label = 'fraud' and l.labelled_at <= $2))::int as frauds
       from transactions t group by 1`,
    [dayText(matured), dayText(LAST)],
  );
  const market = counts.reduce(
    (sum, { payments, frauds }) => ({
      payments: sum.payments + payments,
      frauds: sum.frauds + frauds,
    }),
    { payments: 0, frauds: 0 },
  );
  expect(table.lifts.get('type')?.byValue).toEqual(
    new Map(counts.map((count) => [count.value, liftOf(count, market)])),
  );
  expect(table.learnt.knownFrauds).toBe(market.frauds);
  expect([...table.lifts.keys()]).toEqual(['type', 'channel', 'metadata.is_new']);
  const distances = payments.map(({ metadata }) => metadata.distance);
  const tail = table.tails.get('metadata.distance');
  expect(tail?.numbers).toBe(payments.length);
  for (const value of [0, 10, 500, 999]) {
    const above = distances.filter((other) => tailBucket(other) >= tailBucket(value)).length;
    expect(tail?.above[tailBucket(value)]).toBe(above);
  }
  const hours = await database.sql<{ hour: number; payments: number }>(
    `select extract(hour from created_at at time zone 'UTC')::int as hour, count(*)::int as payments
       from transactions group by 1 order by 1`,
  );
  expect([...table.hours]).toEqual(
    hours.map((hour) => (hour.payments + 1) / (payments.length + 24)),
  );
});

test('kept rows of a day are its hardest and a sample, and frauds that became known', async () => {
  const kept = await database.sql<{ id: string; day: number; share: number | null }>(
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
  await storeKnown(pool, late, DAYS + 1);
  expect(hashTable((await make(LAST)).bytes)).toBe(hashTable(night.bytes));
});

test('a night that ends early leaves nothing', async () => {
  const nobody = { ...by, name: ' ' };
  await expect(storeNight(pool, night, nobody)).rejects.toThrow('audit_by_somebody');
  const left = await database.sql(
    `select from scorecards where day = $1 union all select from scorecard_days where day = $2
     union all select from scorecard_rows where created_at >= $2`,
    [dayText(LAST), dayText(LAST - 1)],
  );
  expect(left).toEqual([]);
});

test('a day that has a table gets no other one, and its table stands in the audit log', async () => {
  const { serial } = await build(LAST);
  const stored = await readTable(pool.query, serial);
  expect(stored?.table).toEqual(table);
  await expect(build(LAST)).rejects.toMatchObject({ code: 'SCORECARD_EXISTS' });
  await expect(storeNight(pool, night, by)).rejects.toMatchObject({ code: 'SCORECARD_EXISTS' });
  const lines = await database.sql(
    `select who, subject, after ->> 'sha256' as sha256 from audit_log where action = 'scorecard.build'
      order by audit_id desc limit 1`,
  );
  expect(lines).toEqual([
    { who: 'Cy', subject: dayText(LAST).slice(0, 10), sha256: stored?.sha256 },
  ]);
});

test('a table that is made again is the same, a night later too, and labels that came since move it', async () => {
  const { knownFrauds: frauds } = table.learnt;
  expect(await makeAgain(pool, options(LAST))).toMatchObject({
    apart: 0,
    frauds,
    frauds_now: frauds,
  });
  const before = payments.filter((of) => of.createdAtMs < (LAST - 1) * DAY_MS).length;
  expect(await makeAgain(pool, options(LAST - 1))).toMatchObject({ apart: 0, payments: before });
  const never = makeAgain(pool, options(LAST + 1));
  await expect(never).rejects.toMatchObject({ code: 'SCORECARD_UNKNOWN' });
  const wrong = payments
    .filter((of) => !of.isFraud && of.createdAtMs < (FIRST + 2) * DAY_MS)
    .map((of) => ({ ...of, isFraud: true }));
  await storeKnown(pool, wrong, DELAY_DAYS + 1);
  expect((await makeAgain(pool, options(LAST))).apart).toBeGreaterThan(0.05);
  await database.sql(`delete from labels where labelled_at - created_at = interval '4 days'`);
});

test('a payment that arrives late enters the next table', async () => {
  const late = makeDay(LAST - 10, 1, 'late');
  await storeScored(pool, late);
  const next = await make(LAST + 1);
  expect(next.payments).toBe(night.payments + 1);
  expect(next.days.map(({ day }) => day)).toEqual([LAST - 10]);
  expect(next.rows.ids).toContain(late[0]?.id);
});

test('two nights at a time store one after the other, and nights that stored nothing took no serial', async () => {
  const made = await Promise.all([LAST + 1, LAST + 30].map(make));
  const serials = await Promise.all(made.map((of) => storeNight(pool, of, by)));
  expect(serials.sort()).toEqual([DAYS + 1, DAYS + 2]);
});

test('a night learns of no row, and cuts anew payments, of a table that is damaged or of a newer version', async () => {
  await database.sql(
    'alter table scorecards disable trigger user, drop constraint scorecard_hash_is_sha256',
  );
  const day = LAST + 2;
  const [{ serial } = { serial: 0 }] = await listHeads(pool.query, LAST - 10, 1);
  await storeScored(pool, makeDay(LAST + 1, 60), serial);
  const learnt = async () => {
    const { table, rows } = await make(day);
    const fresh = [];
    for await (const page of rows.read(pool.query)) fresh.push(...page);
    const { payments, knownFrauds } = table.learnt;
    const byTable = fresh.filter((row) => row.scorecard === serial).length;
    const sum = payments.reduce((total, of) => total + of, 0);
    return { payments: sum, knownFrauds, rows: fresh.length, byTable };
  };
  const all = await learnt();
  expect(all.byTable).toBeGreaterThan(0);
  for (const changed of ['set_byte(bytes, 99, get_byte(bytes, 99) # 1)', 'set_byte(bytes, 0, 2)']) {
    await database.sql(`update scorecards set bytes = ${changed} where serial = ${serial}`);
    const some = await learnt();
    expect(some.payments).toBeLessThan(all.payments);
    expect(some.knownFrauds).toBe(all.knownFrauds);
    expect([some.rows, some.byTable]).toEqual([all.rows, 0]);
  }
});
