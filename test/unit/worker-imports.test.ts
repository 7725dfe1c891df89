/**
 * Goal: a worker loads nothing that only the API serves; the OpenAPI document, search and exports held 8 MiB of its memory.
 * Method: every file and package that is reached from its main file by imports of values.
 */
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf } from '../support/imports.ts';
import { readSources } from '../support/source-files.ts';

const OF_THE_API =
  /^(zod-openapi|hyparquet|hyparquet-writer|swagger-ui-dist|src\/kit\/http\/document|src\/core\/read\/search|src\/rooms\/(console|exports|search)\/(?!room\.|metrics\.|tables\.))/;

/** A room says by an entry which of its files each process loads; the process loads no other one. */
const LOADED = /^ {2}(routes|worker): .*?import\('([^']+)'\)/gm;

function reachedFrom(process: 'api' | 'worker', own: 'routes' | 'worker'): Set<string> {
  const main = `src/main/${process}.ts`;
  const texts = new Map(readSources('src', /\.ts$/).map(({ path, text }) => [path, text]));
  const reached = new Set([main]);
  for (const path of reached) {
    const text = texts.get(path) ?? '';
    const isRoom = path.endsWith('/room.ts');
    for (const { target, typeOnly, isDynamic } of importsOf(path, text)) {
      if (!typeOnly && !(isRoom && isDynamic)) reached.add(target);
    }
    for (const [, entry, specifier = ''] of isRoom ? text.matchAll(LOADED) : []) {
      if (entry === own) reached.add(posix.join(posix.dirname(path), specifier));
    }
  }
  return reached;
}

test('a worker reaches nothing that only the API serves', () => {
  const reached = [...reachedFrom('worker', 'worker')];
  expect(reached).toContain('src/main/serve-health.ts');
  expect(reached.filter((target) => OF_THE_API.test(target))).toEqual([]);
  // A night takes more memory than a worker's container has left.
  const training = reached.filter((target) => /trainings|build-table|train-trees/.test(target));
  expect(training).toEqual([]);
  // The pattern fits names that exist.
  const served = [...reachedFrom('api', 'routes')].filter((target) => OF_THE_API.test(target));
  expect(served.length).toBeGreaterThan(10);
});
