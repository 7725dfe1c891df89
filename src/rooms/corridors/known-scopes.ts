/** Scopes that people may have meant: the nearest name, and whether a client is known. */
import { z } from 'zod';
import { clientScope, corridorScope } from '../../core/domain/switch.ts';
import { listClients } from '../../kit/access/api-keys.ts';
import type { Database } from '../../kit/database/pool.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';

/** Ends the sentence that a name is no scope: by the scope that a bare corridor means, or by the nearest name. */
export function adviseScope(scope: string, names: readonly string[]): string {
  const corridor = names.find((name) => name === corridorScope(scope));
  const nearest = corridor ?? nearestName(scope, names);
  return nearest === undefined ? '' : `; ${nearest} is one`;
}

export const noticeField = z.string().nullable().meta({
  description: 'What may not have been meant: no key belongs to the client. Null: nothing.',
});

const CLIENT = clientScope('');
/** A longer list hides the sentence that it ends. */
const LISTED_CLIENTS_MAX = 20;

function adviseClient(client: string, known: readonly string[]): string {
  const nearest = nearestName(client, known);
  if (nearest !== undefined) return `; ${clientScope(nearest)} has keys`;
  return known.length > 0 && known.length <= LISTED_CLIENTS_MAX
    ? `: clients with keys are ${known.join(', ')}`
    : '';
}

/** Says that no key belongs to the client of a scope. The change is made by then, so an outage says nothing. */
export async function noticeOf(scope: string, { query }: Pick<Database, 'query'>) {
  if (!scope.startsWith(CLIENT)) return null;
  const client = scope.slice(CLIENT.length);
  try {
    const known = await listClients(query, client);
    if (known.includes(client)) return null;
    return `No key belongs to a client ${given(client)} yet${adviseClient(client, known)}.`;
  } catch (error) {
    if (isUnavailable(error)) return null;
    throw error;
  }
}
