/**
 * Goal: values in pages come back as they went in, whatever grows and goes around them, and no page is lost or
 * shared. Method: random stores, writes and releases, against a table of plain buffers.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRoom, type TakeRoom, takeOwn } from '../../src/profile/room.ts';
import { createPagePool, PAGE_BYTES, type PagePool, pagesOf } from '../../src/worker/page-pool.ts';

const PAGES = 12;

type Step = {
  readonly kind: 'store' | 'write' | 'release';
  readonly which: number;
  readonly from: number;
  readonly length: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('store', 'write', 'write', 'release'),
  which: fc.nat(),
  from: fc.nat(),
  length: fc.integer({ min: 0, max: 3 * PAGE_BYTES }),
});

function take(pool: PagePool, values: Map<number, Buffer>, one: Step, fill: number): void {
  const bytes = Buffer.alloc(one.length, fill);
  const chain = [...values.keys()][one.which % Math.max(1, values.size)];
  const value = values.get(chain ?? -1);
  if (one.kind === 'store') {
    if (pagesOf(bytes.length) > pool.freePages())
      expect(() => pool.store(bytes)).toThrow(RangeError);
    else values.set(pool.store(bytes), bytes);
  } else if (chain === undefined || value === undefined) return;
  else if (one.kind === 'release') {
    pool.release(chain);
    values.delete(chain);
  } else {
    const offset = one.from % (value.length + 1);
    const whole = Buffer.concat([value.subarray(0, offset), bytes]);
    const grown = pagesOf(whole.length) - pagesOf(value.length);
    if (whole.length < value.length || grown > pool.freePages()) {
      expect(() => pool.write(chain, offset, bytes)).toThrow(RangeError);
    } else {
      pool.write(chain, offset, bytes);
      values.set(chain, whole);
    }
  }
}

function read(pool: PagePool, chain: number, room: TakeRoom): Buffer {
  const length = pool.lengthOf(chain);
  const view = room(pagesOf(length) * PAGE_BYTES);
  pool.read(chain, view);
  return Buffer.from(view.buffer, view.byteOffset, length);
}

test('a value in pages is what was put there', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = createPagePool(PAGES * PAGE_BYTES, PAGES * PAGE_BYTES);
      const values = new Map<number, Buffer>();
      for (const [index, one] of steps.entries()) take(pool, values, one, index + 1);

      const used = [...values.values()].reduce((sum, value) => sum + pagesOf(value.length), 0);
      expect(pool.freePages()).toBe(PAGES - used);
      for (const room of [createRoom(pool.buffer, pool.pagesEnd).take, takeOwn]) {
        for (const [chain, value] of values) expect(read(pool, chain, room)).toEqual(value);
      }
    }),
  );
});
