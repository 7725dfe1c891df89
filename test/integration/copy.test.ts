/**
 * Goal: COPY brings each text as it is, and leaves the connection fit for the next statement, whatever happens. Method: real
 * Postgres, texts with each special character, a reader that ends early, rows that are refused, and a server that ends the session.
 */
import { expect, test } from 'vitest';
import { type Copy, fromLine, type Texts } from '../../src/kit/database/copy.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(
  testDatabase.open({ connectionsMax: 1, statementTimeoutMs: 2000 }),
);
await testDatabase.sql('create table copied (nth int, told text)');

/** Each character has two bytes, so that some pieces of the stream end within a character. */
const LONG = 'é'.repeat(100_001);
const ROWS: readonly Texts[] = [
  ['1', null],
  ...['', '\\N', '\\', '\\.', 'a\tb', 'a\nb', 'a\r\nb', '\b\f\v', '"quoted", \u2028', LONG].map(
    (text): Texts => ['2', text],
  ),
  ...Array.from(
    { length: 20_000 },
    (_, nth): Texts => [String(nth + 3), `${LONG.slice(0, nth % 7)}x`],
  ),
];
async function* batches(rows: readonly Texts[]) {
  for (let from = 0; from < rows.length; from += 5000) yield rows.slice(from, from + 5000);
}
const INTO = 'copy market.copied (nth, told) from stdin';
const OUT = 'copy (select nth, told from market.copied order by nth, told nulls first) to stdout';

test('rows come back as they were', async () => {
  await database.copyTransaction(async (query, copy) => {
    await copy.into(INTO, batches(ROWS));
    const found: Texts[] = [];
    for await (const some of copy.out(OUT)) found.push(...some);
    expect(new Map(found.map((row) => [JSON.stringify(row), true])).size).toBe(ROWS.length);
    expect(new Set(found.map((row) => JSON.stringify(row)))).toEqual(
      new Set(ROWS.map((row) => JSON.stringify(row))),
    );
    expect(await query({ text: 'select count(*)::int as rows from market.copied' })).toEqual([
      { rows: ROWS.length },
    ]);
  });
});

test('a reader that fails is heard before the server has sent all rows, and the next statement has another session', async () => {
  await using patient = testDatabase.open({ connectionsMax: 1, statementTimeoutMs: 60_000 });
  const failed = patient.copyTransaction(async (_, copy) => {
    const endless = 'copy (select generate_series(1, 1e12)) to stdout';
    for await (const some of copy.out(endless)) throw new Error(`no room for ${some.length > 0}`);
  });
  await expect(failed).rejects.toThrow('no room for true');
  const copies = `select pid from pg_stat_activity where query like 'copy (select generate_series%'`;
  await expect.poll(() => testDatabase.sql(copies)).toEqual([]);
  expect(await patient.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
});

const linesOf = (copy: Copy, text: string, ...values: readonly unknown[]) => {
  const found: string[] = [];
  return copy.lines(text, values, (line) => found.push(line.toString())).then(() => found);
};

test('lines return the values of a statement unchanged, even texts that mean something to SQL', async () => {
  const nasty = ["market.'; drop table copied; --\\", '$2', '{a,"b"}'];
  await database.copyTransaction(async (query, copy) => {
    const of = (to: string) => `copy (select $1::text, $2::int, $3::text[]) to stdout ${to}`;
    const found = await linesOf(copy, of(''), nasty[0], 7, nasty);
    const [whole] = await query<{ texts: string }>({ text: 'select $1::text[]::text as texts' }, [
      nasty,
    ]);
    expect(found.map((line) => fromLine(line.slice(0, -1)))).toEqual([
      [nasty[0], '7', whole?.texts],
    ]);
  });
});

test('lines beyond a deadline and statements that Postgres refuses are a Failure, and the session goes on', async () => {
  const text = 'copy (select 1 / (5 - n) from generate_series(1, 9) n) to stdout';
  const refused = database.copyTransaction((_, copy) => linesOf(copy, text));
  await expect(refused).rejects.toMatchObject({ code: 'POSTGRES_22012' });
  const slow = database.copyTransaction((_, copy) =>
    linesOf(copy, 'copy (select pg_sleep(30)) to stdout'),
  );
  await expect(slow).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await database.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
});

test('a reading leaves no timer that would end the connection later', async () => {
  const timers = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  await database.copyTransaction(async (_, copy) => {
    const before = timers();
    for await (const some of copy.out('copy (select 1) to stdout')) expect(some).toEqual([['1']]);
    expect(await linesOf(copy, 'copy (select 1) to stdout')).toEqual(['1\n']);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});

test('rows and statements that Postgres refuses are a Failure, and the session goes on', async () => {
  const pid = async () => await database.query({ text: 'select pg_backend_pid() as pid' });
  const before = await pid();
  const into = (rows: readonly Texts[]) =>
    database.copyTransaction((_, copy) => copy.into(INTO, batches(rows)));
  await expect(into([...ROWS, ['no number', 'x']])).rejects.toMatchObject({
    code: 'POSTGRES_22P02',
  });
  const out = async (text: string) => {
    await database.copyTransaction(async (_, copy) => {
      for await (const some of copy.out(text)) expect(some.length).toBeGreaterThan(0);
    });
  };
  await expect(
    out('copy (select 1 / (5 - n) from generate_series(1, 9) n) to stdout'),
  ).rejects.toMatchObject({
    code: 'POSTGRES_22012',
  });
  expect(await pid()).toEqual(before);
  await expect(
    database.copyTransaction((_, copy) =>
      copy.into(
        INTO,
        (async function* () {
          yield [['1', 'x']];
          throw new Error('the file is gone');
        })(),
      ),
    ),
  ).rejects.toThrow('the file is gone');
});

test('a COPY beyond the deadline fails, and the next statement has another session', async () => {
  const slow = database.copyTransaction(async (_, copy) => {
    for await (const some of copy.out('copy (select pg_sleep(30)) to stdout'))
      expect(some).toEqual([]);
  });
  await expect(slow).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await database.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
});
