/** The two people of the sample, who show the four-eyes principle. The data folder has a file with the key of each. */
import { join } from 'node:path';
import { apiKeyHash, mintApiKey } from '../../../kit/access/api-key.ts';
import { findLiveApiKey, makeApiKey } from '../../../kit/access/api-keys.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { readOrMakeSecret } from '../services/data-folder.ts';

export const PEOPLE = ['Sample Ann', 'Sample Ben'] as const;
export type Person = (typeof PEOPLE)[number];

export const keyFileOf = (dataDir: string, person: Person) =>
  join(dataDir, `${person.toLowerCase().replace(' ', '-')}.key`);

/** Makes the person unless the key in the file is in force. The file is written first, so that the next start finds the key. */
export async function findOrMakePerson(
  database: Pick<Database, 'query' | 'transaction'>,
  dataDir: string,
  person: Person,
): Promise<string> {
  const key = readOrMakeSecret(keyFileOf(dataDir, person), () => mintApiKey().key);
  const keyHash = apiKeyHash(key);
  if ((await findLiveApiKey(database, keyHash)) !== undefined) return key;
  const [, keyId = ''] = key.split('_');
  const holder = { identity: person };
  const roles = ['analyst', 'risk_officer'] as const;
  const made = { keyId, keyHash, roles: [...roles], client: 'default', holder, expiresAt: null };
  await makeApiKey(database, made, byCommand('start'));
  return key;
}
