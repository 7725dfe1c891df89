/** Who may do what, as the API document says it: for each operation and role whose objects it reaches. */
import { APPROVING_ROLES, type Role } from '../../src/domain/principal.ts';
import type { Operation } from './openapi.ts';

/** `own`: of objects that have a client, its own alone. */
export type Reach = 'none' | 'own' | 'all';

/** What a document says of an operation; undefined where no key is needed. */
export function reachOf(
  operation: Pick<Operation, 'security' | 'x-own-client-alone'>,
  role: Role,
): Reach | undefined {
  const allowed = operation.security?.[0]?.['bearer'];
  if (allowed === undefined) return undefined;
  // `admin` has every role but those that approve.
  const isAllowed = allowed.some(
    (name) => name === role || (role === 'admin' && !APPROVING_ROLES.some((one) => one === name)),
  );
  if (!isAllowed) return 'none';
  return operation['x-own-client-alone']?.includes(role) === true ? 'own' : 'all';
}
