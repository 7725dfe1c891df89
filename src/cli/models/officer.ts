/** Who acts on models: the owner of the API key in RISK_API_KEY, so that nobody can claim another's name. */
import { Failure } from '../../domain/failure.ts';
import { apiKeyHash } from '../../runtime/api-key.ts';
import { findLiveApiKey } from '../../store/api-keys.ts';
import type { Database } from '../../store/pool.ts';

/** @returns the owner of a live key with the role risk_officer, or admin, which may everything */
export async function readOfficer(database: Database, key: string | undefined): Promise<string> {
  if (key === undefined) refuse('RISK_API_KEY must hold the key of a risk officer, who acts by it');
  const found = await findLiveApiKey(database, apiKeyHash(key));
  if (found === undefined) refuse('the key in RISK_API_KEY is unknown, revoked or expired');
  if (!found.roles.includes('risk_officer') && !found.roles.includes('admin')) {
    refuse(`the key in RISK_API_KEY (${found.keyId}) has not the role risk_officer`);
  }
  if (found.owner.trim() === '') refuse(`the key in RISK_API_KEY (${found.keyId}) has no owner`);
  return found.owner;
}

function refuse(why: string): never {
  throw new Failure('invalid', 'NOT_AN_OFFICER', why);
}
