/** The table of access, from the documents of the routes: one row for each operation, one column for each role. */
import { ROLES } from '../../../src/kit/words/principal.ts';
import { reachOf } from '../../support/access.ts';
import type { Document } from '../../support/openapi.ts';

const SHOWN = { none: '–', own: 'own', all: 'yes' } as const;

export function accessRows(document: Document): string[][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const reaches = ROLES.map((role) => reachOf(operation, role));
      const shown = reaches.flatMap((reach) => (reach === undefined ? [] : SHOWN[reach]));
      return shown.length === 0 ? [] : [[`\`${method.toUpperCase()} ${path}\``, ...shown]];
    }),
  );
}
