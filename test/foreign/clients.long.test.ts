/**
 * Goal: anybody makes a client of the API from its document. Method: generators that nobody here wrote, and the compilers of their
 * languages. What cannot be had on this machine is said and skipped; C# is generated alone, as nothing here compiles it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { NotRun } from '../chaos/support/not-run.ts';
import { documentOfRoutes, openApiOf } from '../support/openapi.ts';
import { makeServiceFolder } from '../support/service-folder.ts';
import { CLIENTS } from './generators.ts';

/** A compiler of Rust builds a hundred packages first. */
const CLIENT_TEST_MS = 1_800_000;
vi.setConfig({ testTimeout: CLIENT_TEST_MS });
const plain = (word: string) => word.replaceAll('_', '').toLowerCase();
const document = await documentOfRoutes();
const operations = openApiOf(document).operations.map(
  ({ operation }) => operation.operationId ?? '',
);

test.for(CLIENTS)(
  'a client in $language is generated and compiled, and has every operation',
  async ({ make }, { skip }) => {
    using folder = makeServiceFolder();
    const file = join(folder.services, 'openapi.json');
    await writeFile(file, JSON.stringify(document));
    const place = join(folder.services, 'client');
    await mkdir(place);
    const words = await make(file, place).catch((error: unknown) => {
      if (error instanceof NotRun) skip(error.message);
      throw error;
    });
    const found = new Set(Array.from(words, plain));
    expect(operations.filter((name) => !found.has(plain(name)))).toEqual([]);
    expect(operations).toContain('createWebhook');
  },
);
