/**
 * Goal: copies that are found stay in memory, others give way, and each copy knows its log. test/property/profile/history.test.ts
 * proves that copies are what was kept.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { NO_FRAUDS } from '../../../../src/core/domain/history.ts';
import { accountKind } from '../../../../src/core/profile/kinds.ts';
import { openRecord, writeKey } from '../../../../src/core/profile/packed-list.ts';
import {
  createProfileMemory,
  endOf,
  findCopy,
  type ProfileMemory,
  storeProfile,
} from '../../../../src/core/work/profiles/profile-memory.ts';

const START = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };
const BYTES_MAX = 256 * 1024;

function makeProfile(records: number, fill: number) {
  const profile = accountKind.rebuild({
    ...{ rows: [], floor: START, ceiling: null, frauds: NO_FRAUDS },
  });
  const key = { top: 0, high: 0, low: fill };
  for (let ms = 0; ms < records; ms++) {
    const at = openRecord(profile.list, ms);
    writeKey(profile.list.records, at, accountKind.recordBytes, { ms, ...key });
  }
  return profile;
}

const stateAt = (length: number) => ({
  slot: 3,
  end: { length, high: 0xffffffff, low: length },
  snapshotBytes: 100,
  renewedAtS: 1,
});

const keep = (memory: ProfileMemory, party: string, records: number, fill: number) =>
  storeProfile(memory, party, makeProfile(records, fill), stateAt(fill));

test('copies in memory that were not found for long go first, and what is larger than the memory is not kept', () => {
  const memory = createProfileMemory(BYTES_MAX, accountKind);
  keep(memory, 'kept', 20, 1);
  let kept = 0;
  for (let n = 0; n < 2000; n++) {
    keep(memory, `acc_${n}`, 20, n);
    if (findCopy(memory, 'kept') !== undefined) kept++;
  }
  expect(kept).toBe(2000);
  expect(findCopy(memory, 'acc_0')).toBeUndefined();
  expect(findCopy(memory, 'acc_1999')).toBeDefined();
  keep(memory, 'kept', 9000, 2);
  expect(findCopy(memory, 'kept')).toBeUndefined();
  expect(findCopy(memory, 'acc_1999')).toBeDefined();
});

test('copies in memory know the log that they equal, also once they are renewed in place', () => {
  const memory = createProfileMemory(BYTES_MAX, accountKind);
  for (const nth of [1, 2]) {
    keep(memory, 'a', 4, nth);
    const copy = findCopy(memory, 'a');
    expect(copy && { ...copy, end: endOf(copy) }).toMatchObject(stateAt(nth));
  }
});

test('a profile has a copy in memory from so many bytes on', () => {
  const memory = createProfileMemory(BYTES_MAX, accountKind, 1024);
  keep(memory, 'a', 4, 1);
  expect([findCopy(memory, 'a'), memory.bytes]).toEqual([undefined, 0]);
  keep(memory, 'a', 40, 2);
  expect(findCopy(memory, 'a')).toBeDefined();
});

test('copies in memory that were replaced take no memory, also while no copy has to give way', async () => {
  const memory = createProfileMemory(16 * BYTES_MAX, accountKind);
  const views: WeakRef<DataView>[] = [];
  for (let records = 1; records <= 400; records += 20) {
    for (let n = 0; n < 100; n++) {
      keep(memory, `acc_${n}`, records, n);
      const copy = findCopy(memory, `acc_${n}`);
      if (copy !== undefined) views.push(new WeakRef(copy.view));
    }
  }
  // An object that a WeakRef was made of stays until the turn ends.
  await turnOfLoop();
  collectGarbage();
  const left = new Set(views.flatMap((view) => view.deref() ?? []));
  expect(left.size).toBe(memory.copies.size);
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
