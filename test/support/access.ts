/** Access as the OpenAPI document describes it: which objects each role reaches by each operation. */
import { isApart, ROLES, type Role } from '../../src/kit/words/principal.ts';
import type { Operation } from './openapi.ts';

/** `own`: among objects that have a client, only those of the own client. */
export type Reach = 'none' | 'own' | 'all';

/** Access to one operation; undefined where it needs no key. */
export function reachOf(
  operation: Pick<Operation, 'security' | 'x-own-client-alone'>,
  role: Role,
): Reach | undefined {
  const allowed = operation.security?.[0]?.['bearer'];
  if (allowed === undefined) return undefined;
  const isAllowed = allowed.some(
    (name) =>
      name === role || (role === 'admin' && !ROLES.some((one) => one === name && isApart(one))),
  );
  if (!isAllowed) return 'none';
  return operation['x-own-client-alone']?.includes(role) === true ? 'own' : 'all';
}
