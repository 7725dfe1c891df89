/**
 * Goal: the copies in memory are the ones that were kept, under their own party, whatever moves and is evicted.
 * Method: the same random keeping, growing and forgetting on a memory that holds a few of them and on a map.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_FRAUDS } from '../../../../src/core/domain/history.ts';
import { accountKind } from '../../../../src/core/profile/account-kind.ts';
import { openRecord, writeKey } from '../../../../src/core/profile/packed-list.ts';
import {
  createProfileMemory,
  endOf,
  findCopy,
  forgetParty,
  type ProfileMemory,
  storeProfile,
} from '../../../../src/core/work/profiles/profile-memory.ts';
import { encodeProfile } from '../../../support/encode-profile.ts';

const START = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };
const BYTES_MAX = 256 * 1024;
const { layout } = accountKind;

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

function contents(memory: ProfileMemory, party: string): Buffer | undefined {
  const copy = findCopy(memory, party);
  return copy && Buffer.from(copy.view.buffer, copy.view.byteOffset, copy.length);
}

/** Each one equals what was kept, or is gone. */
function compare(memory: ProfileMemory, kept: Map<string, Uint8Array>): void {
  for (const [party, bytes] of kept) {
    const found = contents(memory, party);
    if (found === undefined) kept.delete(party);
    else if (!found.equals(bytes)) expect({ party, found }).toEqual({ party, found: bytes });
  }
}

const step = fc.record({
  party: fc.oneof(
    fc.nat(40).map((n) => `acc_${n}`),
    fc.constantFrom('ä', 'ä1', 'счёт-7', '口座'),
  ),
  records: fc.oneof(fc.nat(8), fc.nat(90)),
  isForgotten: fc.boolean(),
});

describe('copies in memory', () => {
  test('are what was kept, or gone', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
        const memory = createProfileMemory(BYTES_MAX / 4, accountKind);
        const kept = new Map<string, Uint8Array>();
        steps.forEach(({ party, records, isForgotten }, index) => {
          if (isForgotten && index % 3 === 0) {
            forgetParty(memory, party);
            kept.delete(party);
          } else {
            keep(memory, party, records, index);
            kept.set(party, encodeProfile(layout, makeProfile(records, index)));
            const copy = findCopy(memory, party);
            if (copy !== undefined) {
              expect({ ...copy, end: endOf(copy) }).toMatchObject(stateAt(index));
            }
            expect(memory.bytes).toBeLessThanOrEqual(memory.bytesMax);
          }
          compare(memory, kept);
          expect(contents(memory, 'never kept')).toBeUndefined();
        });
      }),
      { numRuns: 40 },
    );
  });

  test('that were not found for long go first, and what is larger than the memory is not kept', () => {
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
});
