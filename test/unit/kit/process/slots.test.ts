/** Goal: calls beyond the slots wait in their order, and one that waits too long is refused and leaves nothing behind. */
import { expect, test } from 'vitest';
import { createSlots } from '../../../../src/kit/process/slots.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

function rig(callsMax: number, waitMs: number) {
  const refuse = () => new Failure('unavailable', 'BUSY', 'no slot is free');
  const inSlot = createSlots({ callsMax, waitMs, refuse });
  const begun: string[] = [];
  const begin = (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = () => {
      begun.push(name);
      return promise;
    };
    const ended = inSlot(call).catch((error: Failure) => error.code);
    return {
      ended,
      end: () => resolve(name),
      fail: () => reject(new Failure('permanent', 'BAD', '')),
    };
  };
  return { begin, begun };
}

test('a call that ends hands its slot to the one that has waited longest, whatever its end is', async () => {
  const { begin, begun } = rig(2, 60_000);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(begin);
  expect(begun).toEqual(['a', 'b']);
  b?.fail();
  expect(await b?.ended).toBe('BAD');
  await expect.poll(() => begun).toEqual(['a', 'b', 'c']);
  // The slot that is handed on is not free for a later call.
  a?.end();
  const e = begin('e');
  await expect.poll(() => begun).toEqual(['a', 'b', 'c', 'd']);
  c?.end();
  await expect.poll(() => begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  d?.end();
  e.end();
  expect([await d?.ended, await e.ended]).toEqual(['d', 'e']);
});

test('a call that waits too long is refused and never begins; its place is nobody’s', async () => {
  const { begin, begun } = rig(1, 1);
  const held = begin('held');
  expect(await begin('late').ended).toBe('BUSY');
  held.end();
  expect(await held.ended).toBe('held');
  const next = begin('next');
  expect(begun).toEqual(['held', 'next']);
  next.end();
  expect(await next.ended).toBe('next');
});
