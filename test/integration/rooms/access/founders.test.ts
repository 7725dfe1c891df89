/**
 * Goal: `risk keys` with DATABASE_URL makes the first two people who approve, and no third. Method: the command on a real
 * database.
 */
import { expect, test } from 'vitest';
import { command } from '../../../../src/rooms/access/commands.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { runCommand } from '../../../support/run-command.ts';

test('two people are made; a third only once one of them is revoked', async () => {
  await using database = await createTestDatabase();
  const run = (...args: string[]) => runCommand(command, { DATABASE_URL: database.url }, args);
  const found = (name: string) => run('create', '--role', 'risk_officer', '--identity', name);
  const byOwner = run('create', '--role', 'risk_officer', '--owner', 'Ann');
  await expect(byOwner).rejects.toThrow(/say identity instead of owner/);
  // Names are normalised: the first two keys belong to one person.
  for (const name of ['Ann', ' ＡＮＮ', 'Bob']) expect((await found(name)).code).toBe(0);
  for (const name of ['Cy', 'Ann'])
    await expect(found(name)).rejects.toThrow(/Ann and Bob approve/);
  expect((await run('create', '--role', 'admin', '--identity', 'Cy')).code).toBe(0);
  expect(JSON.parse((await run('people', '--json')).stdout)).toMatchObject([
    { identity: 'Ann', made_by: null },
    { identity: 'Bob' },
    { identity: 'Cy' },
  ]);
  const confirmed = `select identity from api_keys where confirmed_at is not null order by 1`;
  expect(await database.sql(confirmed)).toEqual([
    { identity: 'Ann' },
    { identity: 'Ann' },
    { identity: 'Bob' },
  ]);
  expect((await run('expel', 'ann')).code).toBe(0);
  await expect(found('Ann')).rejects.toThrow(/'Ann' is revoked/);
  expect((await found('Di')).code).toBe(0);
  const live = `select from api_keys where identity = 'Ann' and revoked_at is null`;
  expect(await database.sql(live)).toEqual([]);
});

test('concurrent commands make two people and no more', async () => {
  await using database = await createTestDatabase();
  const environment = { DATABASE_URL: database.url };
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const create = (name: string, role: string) =>
    runCommand(command, environment, ['create', '--role', role, '--identity', name]);
  for (const name of names) await create(name, 'analyst');
  const settled = await Promise.allSettled(names.map((name) => create(name, 'risk_officer')));
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
});
