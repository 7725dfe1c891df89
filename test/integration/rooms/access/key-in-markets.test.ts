/**
 * Goal: a key for several markets is made in all of them or in none, whatever refuses, and the same command may be repeated.
 * Method: `risk keys` on two markets, of which one is unreachable, or fails at its commit.
 */
import { expect, test } from 'vitest';
import { migrate } from '../../../../src/kit/database/migrations/migrate.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { runRisk } from '../../../support/run-risk.ts';

const database = await openForFile(createTestDatabase());
await migrate({ url: database.url, market: 'market_1', corridors: [] });

const CREATE = ['create', '--role', 'ingest', '--owner', 'payments', '--markets'];
const keys = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  await runRisk(['keys', ...args], { DATABASE_URL: database.url, ...more });
const hashesOf = async (market: string, condition = 'revoked_at is null') =>
  await database.sql(
    `select key_id, key_hash from ${market}.api_keys where ${condition} order by 1`,
  );

test('both have the row, or neither, and a repeat makes it whole', async () => {
  const away = { MARKET_1_DATABASE_URL: 'postgres://risk@127.0.0.1:1/risk' };
  const refused = await keys([...CREATE, 'market_0,market_1'], away);
  expect(refused).toMatchObject({
    ...{ code: 1, stdout: '' },
    stderr: expect.stringMatching(
      /^risk keys: no key was made, as market_1 refused: .*ECONNREFUSED/,
    ),
  });
  expect([await hashesOf('market_0'), await hashesOf('market_1')]).toEqual([[], []]);
  expect(await keys([...CREATE, 'market_0,market_1'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^risk_\S+\n$/),
    stderr: expect.stringMatching(/^key \S+ made in market_0 and market_1; /),
  });
  const made = await hashesOf('market_0');
  expect(made).toHaveLength(1);
  expect(await hashesOf('market_1')).toEqual(made);
  expect((await keys(['list'])).stdout).toMatch(/ ingest +default +payments/);
});

test('a commit that fails after others leaves no key in force, and says where one may be', async () => {
  await database.sql(`create function market_0.refuse() returns trigger language plpgsql
    as $$ begin raise exception 'no room'; end $$`);
  await database.sql(`create constraint trigger refuse after insert on market_0.api_keys
    deferrable initially deferred for each row execute function market_0.refuse()`);
  const [before] = [await hashesOf('market_1')];
  const refused = await keys([...CREATE, 'market_0,market_1']);
  await database.sql('drop trigger refuse on market_0.api_keys');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('no key was made, as market_0 refused: no room');
  expect(await hashesOf('market_1')).toEqual(before);
  expect(await hashesOf('market_1', 'revoked_at is not null')).toHaveLength(1);
});

test('a revocation names each market that has no such key, and revokes in the others', async () => {
  const { stdout } = await keys([...CREATE, 'market_1', '--json']);
  const { key_id: keyId } = JSON.parse(stdout);
  const revoked = await keys(['revoke', keyId, '--markets', 'market_0,market_1']);
  expect(revoked).toMatchObject({ code: 1, stderr: `market_0: no key has the id '${keyId}'\n` });
  expect(await hashesOf('market_1', `key_id = '${keyId}' and revoked_at is not null`)).toHaveLength(
    1,
  );
});
