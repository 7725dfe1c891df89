/**
 * Goal: the number of a slot in a stored vector never means another field. Method: an API process, where one field is declared again and
 * again, and SQL that fills the slots.
 */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';

const api = await openForFile(startRunningApi());
const { key } = await makeOfficer(api.testDatabase, 'Ed', ['analyst']);

async function call(method: string, name: string, sent: object = {}) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const path = `/v1/metadata-fields/${name}`;
  return (await answerOf(await api.request(path, { method, headers, ...sent }))).body;
}

test('a field has slots for ever, another type has others, and a market has at most 160', async () => {
  const { sql } = api.testDatabase;
  const slotsOf = async (field: string) =>
    (
      await sql<{ slot: number; type: string; kind: string }>(
        'select slot, type, kind from field_slots where field = $1 order by slot',
        [field],
      )
    ).map(({ slot, type, kind }) => `${slot} ${type} ${kind}`);
  const declare = (name: string, type: string) =>
    call('PUT', name, { body: JSON.stringify({ type, description: 'a field' }) });
  const withdraw = (name: string) => call('DELETE', name);
  await declare('tier', 'text');
  await declare('other', 'text');
  for (const type of ['number', 'text', 'number']) {
    await withdraw('tier');
    await declare('tier', type);
    expect(await slotsOf('tier')).toEqual(['1 text lift', '3 number tail', '4 number to_account']);
  }
  await sql(
    `insert into field_slots select n, 'old_' || n, 'text', 'lift' from generate_series(5, 159) n`,
  );
  expect((await declare('weight', 'number')).detail).toBe(
    'The field weight as number needs 2 of 160 slots, and fields that a market ever declared have 159: declare a name again with its type.',
  );
  expect(await declare('weight', 'boolean')).toMatchObject({ name: 'weight' });
  await withdraw('weight');
  expect((await declare('height', 'text')).detail).toContain('height as text needs 1 of 160 slots');
  expect(await declare('weight', 'boolean')).toMatchObject({ name: 'weight' });
  expect(await slotsOf('weight')).toEqual(['160 boolean lift']);
  await expect(sql('delete from field_slots')).rejects.toThrow('never changed');
});
