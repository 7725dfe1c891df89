/**
 * Goal: files of data frames, databases and spreadsheets are read as they were meant, or refused with the remedy. Method: the files that
 * test/foreign/files/make.py wrote; its versions.txt names the tools. test/foreign/files.long.test.ts writes the files anew.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAMAGED, paymentsOf, REFUSED, readMade, TAKEN } from '../../../foreign/files/read-made.ts';

const MADE = join(import.meta.dirname, '../../../foreign/files/made');

test.each(TAKEN)('%s is read as it was meant', async (name) => {
  expect(await readMade(MADE, name)).toEqual({ rows: paymentsOf(name), refused: new Map() });
});

test.each(REFUSED)('%s is refused: %s', async (name, said) => {
  await expect(readMade(MADE, name)).rejects.toThrow(said);
});

test.each(DAMAGED)('%s has its lines %j refused: %s', async (name, lines, said) => {
  const { rows, refused } = await readMade(MADE, name);
  expect([...refused.keys()]).toEqual(lines);
  expect([...refused.values()].some((detail) => detail.includes(said))).toBe(true);
  expect(rows).toHaveLength(4 - lines.length);
});
