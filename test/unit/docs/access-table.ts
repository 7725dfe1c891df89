/** The table of access, from the documents of the routes: one row for each operation, one column for each role. */
import { readdir } from 'node:fs/promises';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ROLES } from '../../../src/domain/principal.ts';
import { buildDocument } from '../../../src/http/openapi.ts';
import { reachOf } from '../../support/access.ts';
import type { Document } from '../../support/openapi.ts';

const ROUTES = new URL('../../../src/http/routes/', import.meta.url);
const SHOWN = { none: '–', own: 'own', all: 'yes' } as const;

export async function accessRows(): Promise<string[][]> {
  const paths: ZodOpenApiPathsObject[] = [];
  for (const name of (await readdir(ROUTES)).sort()) {
    const module: Record<string, unknown> = await import(new URL(name, ROUTES).href);
    for (const [exported, value] of Object.entries(module)) {
      if (exported.endsWith('Paths')) paths.push(value as ZodOpenApiPathsObject);
    }
  }
  const document = buildDocument(paths, '0') as Document;
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const reaches = ROLES.map((role) => reachOf(operation, role));
      const shown = reaches.flatMap((reach) => (reach === undefined ? [] : SHOWN[reach]));
      return shown.length === 0 ? [] : [[`\`${method.toUpperCase()} ${path}\``, ...shown]];
    }),
  );
}
