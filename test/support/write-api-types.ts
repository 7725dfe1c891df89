/** `npm run api-types`: writes the types of the API's requests and answers, made from the routes, for the compiler. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientTypes } from './client-types.ts';
import { documentOfRoutes } from './openapi.ts';
import { REPOSITORY } from './risk.ts';

const FILE = join(REPOSITORY, 'src/kit/client/api-types.ts');

const types = clientTypes(await documentOfRoutes());
// A file that is up to date stays untouched: a compiler or a browser that watches it has nothing to do.
if (readOrNothing(FILE) !== types) writeFileSync(FILE, types);

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
