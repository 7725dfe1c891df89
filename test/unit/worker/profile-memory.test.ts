/**
 * Goal: the copies in memory are the ones that were kept, and go when they should. Method: values of known sizes in
 * a memory that holds only a few.
 */
import { expect, test } from 'vitest';
import { stubOf } from '../../../src/profile/profile.ts';
import { PAGE_BYTES } from '../../../src/worker/page-pool.ts';
import { createProfileMemory, type ProfileMemory } from '../../../src/worker/profile-memory.ts';

const SLOT = 7;
const header = (version: number) => `${String.fromCharCode(version)}\0\0\0\xf1\xf2\xf3\x71`;
const body = (fill: number, length = PAGE_BYTES) => Buffer.alloc(length, fill);

function contents(memory: ProfileMemory, party: string): string | undefined {
  const kept = memory.find(party);
  const read = kept && memory.read(kept);
  return (
    read && Buffer.from(read.view.buffer, read.view.byteOffset, read.length).toString('latin1')
  );
}

test('gives back what was kept, and what was written over its end', () => {
  const memory = createProfileMemory(10, 64 * PAGE_BYTES);
  memory.keep('a', SLOT, body(1), header(1));
  const kept = memory.find('a');
  if (kept === undefined) throw new Error('nothing was kept');
  expect(kept).toMatchObject({ header: header(1), slot: SLOT, isStub: false });
  const offset = body(1).length - 10;
  expect(memory.extend(kept, offset, body(2, 40), header(2))).toBe(true);
  expect(memory.find('a')?.header).toBe(header(2));
  expect(contents(memory, 'a')).toBe(
    Buffer.concat([body(1).subarray(0, -10), body(2, 40)]).toString('latin1'),
  );
  expect(memory.find('b')).toBeUndefined();
  expect(memory.read(kept)).toBeUndefined();
});

test('the least recently used go first, by bytes and by entries', () => {
  const byBytes = createProfileMemory(100, 8 * PAGE_BYTES);
  for (let party = 0; party < 8; party++) byBytes.keep(String(party), SLOT, body(party), header(1));
  byBytes.find('0');
  byBytes.keep('8', SLOT, body(8), header(1));
  expect(byBytes.find('1')).toBeUndefined();
  expect(contents(byBytes, '0')).toBe(body(0).toString('latin1'));
  expect(contents(byBytes, '8')).toBe(body(8).toString('latin1'));

  const byEntries = createProfileMemory(2, 64 * PAGE_BYTES);
  for (const party of ['a', 'b', 'c']) byEntries.keep(party, SLOT, body(1), header(1));
  expect(byEntries.find('a')).toBeUndefined();
  expect(byEntries.find('c')).toBeDefined();
});

test('a copy that was found and went since is not taken for the one that has its pages now', () => {
  const memory = createProfileMemory(10, 64 * PAGE_BYTES);
  memory.keep('a', SLOT, body(1), header(1));
  const before = memory.find('a');
  if (before === undefined) throw new Error('nothing was kept');
  memory.keep('a', SLOT, body(2), header(1));
  expect(memory.find('a')?.chain).toBe(before.chain);
  expect(memory.read(before)).toBeUndefined();
  expect(memory.extend(before, body(2).length, body(3), header(2))).toBe(false);
  expect(contents(memory, 'a')).toBe(body(2).toString('latin1'));
});

test('a value of more than its share is not kept, and takes the place of nothing', () => {
  const memory = createProfileMemory(10, 16 * PAGE_BYTES);
  memory.keep('small', SLOT, body(1, 2 * PAGE_BYTES), header(1));
  memory.keep('large', SLOT, body(2, 3 * PAGE_BYTES), header(1));
  expect(memory.find('large')).toBeUndefined();
  const kept = memory.find('small');
  if (kept === undefined) throw new Error('nothing was kept');
  expect(memory.extend(kept, 2 * PAGE_BYTES, body(1, 1), header(2))).toBe(false);
  memory.keep('small', SLOT, body(1, 2 * PAGE_BYTES + 1), header(2));
  expect(memory.find('small')).toBeUndefined();
});

test('a stub is remembered until the copy changes, and what was folded on it since is dropped', () => {
  const memory = createProfileMemory(10, 64 * PAGE_BYTES);
  memory.keep('a', SLOT, body(1), header(1));
  memory.markStub('a', header(1));
  expect(memory.find('a')).toMatchObject({ header: stubOf(header(1)), isStub: true });
  memory.keep('a', SLOT, body(1), header(2));
  expect(memory.find('a')).toMatchObject({ header: header(2), isStub: false });
  memory.markStub('a', header(1));
  expect(memory.find('a')).toBeUndefined();
});

test('only the copy with this header is forgotten', () => {
  const memory = createProfileMemory(10, 64 * PAGE_BYTES);
  memory.keep('a', SLOT, body(1), header(2));
  memory.forget('a', header(1));
  expect(memory.find('a')).toBeDefined();
  memory.forget('a', header(2));
  expect(memory.find('a')).toBeUndefined();
});
