/** Reads who acts on models from the API key in RISK_API_KEY, so that nobody can claim another's name. */
import { apiKeyHash } from '../../../kit/access/api-key.ts';
import { findLiveApiKey } from '../../../kit/access/api-keys.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';

/** @throws Failure unless the key is that of a person who is a confirmed risk officer */
export async function readOfficer(
  database: Database,
  { RISK_API_KEY: key }: Pick<Config, 'RISK_API_KEY'>,
  action: string,
): Promise<Officer> {
  if (key === undefined) refuse('RISK_API_KEY must hold the key of a risk officer, who acts by it');
  const found = await findLiveApiKey(database, apiKeyHash(key));
  if (found === undefined) refuse('the key in RISK_API_KEY is unknown, revoked or expired');
  const { keyId, identity, roles } = found;
  if (identity === null || !roles.includes('risk_officer')) {
    refuse(`the key in RISK_API_KEY (${keyId}) is not that of a confirmed risk_officer`);
  }
  return { keyId, name: identity, request: `risk models ${action}` };
}

function refuse(why: string): never {
  throw new Failure('invalid', 'NOT_AN_OFFICER', why);
}
