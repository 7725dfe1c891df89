/** Goal: commands and console show the cures of docs/dead-letters.md. Method: each row of the table in that page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CURES, cureOf } from '../../../../src/rooms/dead-letters/store.ts';
import { REPOSITORY } from '../../../support/risk.ts';

test('each error code has the cure of its row', () => {
  const page = readFileSync(join(REPOSITORY, 'docs/dead-letters.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)…?` \| .+ \| (.+) \|$/gm)];
  const plain = (cell = '') => cell.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
  expect(rows.length).toBeGreaterThanOrEqual(Object.keys(CURES).length);
  for (const [, code = '', cure] of rows) expect(cureOf(code), code).toBe(plain(cure));
});
