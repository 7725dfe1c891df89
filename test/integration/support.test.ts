/** Goal: the test harness itself works as documented, as every other test relies on it. */
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';

test('createTestDatabase fails a test that leaves a pool open', async () => {
  const database = await createTestDatabase();
  const pool = database.open({ role: 'leaky' });
  await pool.query({ name: 'probe', text: 'select 1' });
  await expect(database[Symbol.asyncDispose]()).rejects.toThrow('risk-leaky');
  await pool[Symbol.asyncDispose]();
});
