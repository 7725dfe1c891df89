/** Goal: new parties cost no readings of snapshots, and parties that have snapshots are soon found. */
import { expect, test } from 'vitest';
import { createSnapshotReads } from '../../../../src/core/work/profiles/profiles.ts';

const PAGE = 64;

/** Reads pages until the readings pause; returns the parties that were asked for. */
function readAbsent(reads: ReturnType<typeof createSnapshotReads>): number {
  let asked = 0;
  while (reads.isDue(PAGE)) {
    reads.note(PAGE, 0);
    asked += PAGE;
  }
  return asked;
}

/** Parties of pages that are not read until one is. */
function skip(reads: ReturnType<typeof createSnapshotReads>): number {
  let skipped = PAGE;
  while (!reads.isDue(PAGE)) skipped += PAGE;
  return skipped;
}

test('readings pause after many parties without a snapshot, and a sample goes on', () => {
  const reads = createSnapshotReads();
  expect(readAbsent(reads)).toBe(512);
  expect(skip(reads)).toBe(4096 - PAGE);
  reads.note(PAGE, 0);
  expect(skip(reads)).toBe(4096);
});

test('a party with a snapshot ends the pause', () => {
  const reads = createSnapshotReads();
  readAbsent(reads);
  skip(reads);
  reads.note(PAGE, 1);
  expect(readAbsent(reads)).toBe(512);
});
