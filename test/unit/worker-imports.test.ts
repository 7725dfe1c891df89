/**
 * Goal: a worker loads nothing that only the API serves; the OpenAPI document, search and exports held 8 MiB of its memory.
 * Method: every file and package that is reached from its main file by imports of values.
 */
import { expect, test } from 'vitest';
import { importsOf } from '../support/imports.ts';
import { readSources } from '../support/source-files.ts';

const OF_THE_API =
  /^(zod-openapi|hyparquet|hyparquet-writer|swagger-ui-dist|src\/kit\/http\/document|src\/core\/read\/search|src\/rooms\/(console|exports|search)\/)/;

function reachedFrom(main: string): Set<string> {
  const texts = new Map(readSources('src', /\.ts$/).map(({ path, text }) => [path, text]));
  const reached = new Set([main]);
  for (const path of reached) {
    for (const { target, typeOnly } of importsOf(path, texts.get(path) ?? '')) {
      if (!typeOnly) reached.add(target);
    }
  }
  return reached;
}

test('a worker reaches nothing that only the API serves', () => {
  const reached = [...reachedFrom('src/main/worker.ts')];
  expect(reached).toContain('src/kit/http/serve-health.ts');
  expect(reached.filter((target) => OF_THE_API.test(target))).toEqual([]);
  // The pattern fits names that exist.
  const served = [...reachedFrom('src/main/api.ts')].filter((target) => OF_THE_API.test(target));
  expect(served.length).toBeGreaterThan(10);
});
