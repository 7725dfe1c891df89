/** The review policy, bound to the database for the API. */
import type { Database } from '../../../kit/database/pool.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import type { ReviewPolicy } from '../policy.ts';
import { insertPolicy, readPolicy } from '../store/policies.ts';

export type Policies = ReturnType<typeof createPolicies>;

export function createPolicies(database: Pick<Database, 'query' | 'transaction'>) {
  return {
    read: () => readPolicy(database),
    change: (policy: ReviewPolicy, by: Actor) => insertPolicy(database, policy, by),
  };
}
