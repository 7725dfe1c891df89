/** Two people who roll a market back. */
import { mintApiKey } from '../../../../src/kit/access/api-key.ts';
import { makeApiKey } from '../../../../src/kit/access/api-keys.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { requestRollback } from '../../../../src/rooms/archive/approval.ts';
import { confirmIn } from '../../approvals.ts';

/** Makes a person who approves without a confirmation, as the first two do. */
export async function makeFounder(database: Database, name: string) {
  const { keyId, keyHash } = mintApiKey();
  const key = { keyId, keyHash, roles: ['risk_officer'] as const, client: 'default' };
  const by = { name: null, keyId: null, request: 'a test' };
  await makeApiKey(database, { ...key, holder: { identity: name }, expiresAt: null }, by);
  return { name, keyId, request: 'a test' };
}

export async function agreeOnRollback(database: Database, market: string): Promise<void> {
  const [ann, bob] = [await makeFounder(database, 'Ann'), await makeFounder(database, 'Bob')];
  const { approval_id: id } = await requestRollback(database, market, 'closed', ann);
  await confirmIn(database, id, bob);
}
