/** Goal: each file of bench/ is a bench that `npm run bench -- --help` lists: named as its file, with a question. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Bench } from '../../../bench/support/bench.ts';

const FOLDER = new URL('../../../bench/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'run.ts');

test.each(files)('%s exports a bench of its name, with a question', async (file) => {
  const { bench } = (await import(new URL(file, FOLDER).href)) as { bench: Bench };
  expect(`${bench.name}.ts`).toBe(file);
  expect(bench.question).toMatch(/^[A-Z].*\?$/);
});
