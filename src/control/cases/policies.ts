/** The review policy, bound to the database for the API. */
import type { Actor } from '../../domain/principal.ts';
import type { ReviewPolicy } from '../../domain/review-policy.ts';
import { insertPolicy, readPolicy } from '../../store/cases/review-policies.ts';
import type { Database } from '../../store/database/pool.ts';

export type Policies = ReturnType<typeof createPolicies>;

export function createPolicies(database: Pick<Database, 'query' | 'transaction'>) {
  return {
    read: () => readPolicy(database),
    change: (policy: ReviewPolicy, by: Actor) => insertPolicy(database, policy, by),
  };
}
