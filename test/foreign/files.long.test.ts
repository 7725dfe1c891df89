/**
 * Goal: the files that pandas, DuckDB and polars write today are read as they were meant. Method: test/foreign/files/make.py writes them
 * anew. Where test/foreign/files/install.sh has not installed the tools, the test says so and skips.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REPOSITORY } from '../support/risk.ts';
import { DAMAGED, paymentsOf, REFUSED, readMade, TAKEN } from './files/read-made.ts';

const python = join(homedir(), '.cache/risk-foreign-files/bin/python');
const isMissing = !existsSync(python);
if (isMissing) {
  process.stderr.write('files.long.test.ts skips: run test/foreign/files/install.sh first\n');
}

describe.skipIf(isMissing)('the tools of others write files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foreign-files-'));
  beforeAll(() => {
    execFileSync(python, [join(REPOSITORY, 'test/foreign/files/make.py'), folder]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(TAKEN)('%s, which is read as it was meant', async (name) => {
    expect(await readMade(folder, name)).toEqual({ rows: paymentsOf(name), refused: new Map() });
  });

  test('that are refused as a whole, or in the lines that they damaged', async () => {
    for (const [name, said] of REFUSED) await expect(readMade(folder, name)).rejects.toThrow(said);
    for (const [name, lines] of DAMAGED) {
      const { refused } = await readMade(folder, name);
      expect([name, ...refused.keys()]).toEqual([name, ...lines]);
    }
  });
});
