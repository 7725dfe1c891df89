/**
 * Goal: spellings of a name are one person in every locale of the database. Method: commands and logins on databases of two locales
 * in which lower() of Postgres leaves É as it is, or makes ı of I.
 */
import { describe, expect, test } from 'vitest';
import { mintSession } from '../../../../src/kit/access/api-key.ts';
import { refuseShared, revokeIdentity } from '../../../../src/kit/access/identities.ts';
import { migrate } from '../../../../src/kit/database/migrations/migrate.ts';
import { engineOf } from '../../../../src/kit/words/principal.ts';
import { command } from '../../../../src/rooms/access/commands.ts';
import { logInByProvider } from '../../../../src/rooms/access/oidc/provider-logins.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/database.ts';
import { runCommand } from '../../../support/run-command.ts';

const LOCALES = [
  {
    locale: 'C',
    as: `locale_provider libc locale 'C'`,
    spellings: ['Éva', 'éva', 'ÉVA', 'E\u0301va', 'Ｅ\u0301ＶＡ'],
  },
  {
    locale: 'tr-TR',
    as: `locale_provider icu icu_locale 'tr-TR' locale 'C'`,
    spellings: ['Iris', 'iris', 'IRIS', ' ＩＲＩＳ '],
  },
];

async function createDatabaseIn(as: string): Promise<TestDatabase> {
  const database = await createTestDatabase({ as: `template template0 encoding 'UTF8' ${as}` });
  await migrate({ url: database.url, market: database.market, corridors: [] });
  return database;
}

describe.each(LOCALES)('in a database with the locale $locale', ({ as, spellings }) => {
  test('each spelling of a name makes keys of one person, who approves nothing of their own', async () => {
    await using testDatabase = await createDatabaseIn(as);
    await using database = testDatabase.open();
    for (const spelling of spellings) {
      const args = ['create', '--identity', spelling, '--role', 'risk_officer'];
      await runCommand(command, { DATABASE_URL: testDatabase.url }, args);
    }
    const keys = await testDatabase.sql<{ id: string; identity: string }>(
      'select key_id as id, identity from api_keys order by created_at',
    );
    expect(keys.map(({ identity }) => identity)).toEqual(spellings.map(() => spellings[0]));
    const [first, ...others] = keys.map(({ id }) => id);
    for (const other of others) {
      const approval = refuseShared(database, first ?? null, other);
      await expect(approval).rejects.toThrow(`${spellings[0]} may hold both keys`);
    }
  });

  test('a name of a provider is one subject’s, and its login ends with the person', async () => {
    await using testDatabase = await createDatabaseIn(as);
    await using database = testDatabase.open();
    const logIn = (subject: string, name: string) => {
      const login = { issuer: 'https://id.example', subject, name, roles: ['analyst'] as const };
      return logInByProvider(database, login, mintSession(), 'test', async () => undefined);
    };
    await logIn('1', 'Éva Imre');
    await logIn('1', 'ÉVA IMRE');
    await expect(logIn('2', 'éva imre')).rejects.toThrow('the name of somebody else');
    const environment = { DATABASE_URL: testDatabase.url };
    const args = ['create', '--role', 'analyst', '--identity', 'Éva imre'];
    expect((await runCommand(command, environment, args)).code).toBe(0);
    await revokeIdentity(database, 'éva IMRE', engineOf('test'));
    expect(await testDatabase.sql('select from api_keys where revoked_at is null')).toEqual([]);
    await expect(logIn('1', 'éva imre')).rejects.toThrow('is revoked');
  });
});
