/** The list of access, from the documents of the routes: one line for each set of roles, with the operations that it may call. */
import { ROLES } from '../../../src/kit/words/principal.ts';
import { reachOf } from '../../support/access.ts';
import type { Document } from '../../support/openapi.ts';

const SHOWN = { none: [], own: [' (own)'], all: [''] } as const;

export function accessLines(document: Document): string[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const roles = ROLES.flatMap((role) =>
        SHOWN[reachOf(operation, role) ?? 'none'].map((suffix) => `\`${role}\`${suffix}`),
      );
      return { method: method.toUpperCase(), path: `\`${path}\``, roles: roles.join(', ') };
    }),
  );
  const withKey = operations.filter(({ roles }) => roles !== '');
  return Object.entries(Object.groupBy(withKey, ({ roles }) => roles)).map(
    ([roles, group = []]) => `${roles}: ${byMethod(group)}`,
  );
}

function byMethod(operations: readonly { method: string; path: string }[]): string {
  return Object.entries(Object.groupBy(operations, ({ method }) => method))
    .map(([method, group = []]) => `${method} ${group.map(({ path }) => path).join(', ')}`)
    .join('; ');
}
