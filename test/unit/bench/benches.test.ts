/** Goal: each file of bench/ is a bench that a reader finds: named as its file, and described in the document. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Bench } from '../../../bench/support/bench.ts';

const FOLDER = new URL('../../../bench/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'run.ts');
const performance = readFileSync(new URL('../docs/performance.md', FOLDER), 'utf8');

test.each(files)(
  '%s exports a bench of its name, with a row in docs/performance.md',
  async (file) => {
    const { bench } = (await import(new URL(file, FOLDER).href)) as { bench: Bench };
    expect(`${bench.name}.ts`).toBe(file);
    const row = performance.split('\n').find((line) => line.startsWith(`| \`${bench.name}\` |`));
    expect(row, bench.name).toContain(bench.question.replace(/\?$/, ''));
    expect(row?.includes('*by name*')).toBe(bench.onlyByName !== undefined);
  },
);
