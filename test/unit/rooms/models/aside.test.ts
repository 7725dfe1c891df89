/** Goal: long work leaves the event loop to others, and ends as it would have ended here. Method: a thread that says what it is told. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openAside } from '../../../../src/rooms/models/registry/aside.ts';
import type { Piece } from './echo-thread.ts';

const { run: aside } = openAside<Piece>(new URL('echo-thread.ts', import.meta.url));

test('pieces run one after the other while the event loop turns', async () => {
  const held = new Int32Array(new SharedArrayBuffer(8));
  const ended: string[] = [];
  const pieces = [
    aside<string>({ held }).then((said) => ended.push(said)),
    aside<string>({ say: 'next' }).then((said) => ended.push(said)),
  ];
  while (Atomics.load(held, 1) === 0) await nextTurn();
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  expect(ended).toEqual([]);
  Atomics.store(held, 0, 1);
  await Promise.all(pieces);
  expect(ended).toEqual(['let go', 'next']);
});

test('a refusal of the thread is the same failure here', async () => {
  await expect(aside({ refuse: 'amount: is negative' })).rejects.toMatchObject({
    name: 'Failure',
    kind: 'invalid',
    code: 'REFUSED',
    message: 'amount: is negative',
  });
});

test('a thread that ends fails its own piece alone', async () => {
  const pieces = [aside({ end: true }), aside({ say: 'again' })];
  expect(await Promise.allSettled(pieces)).toMatchObject([
    { status: 'rejected' },
    { status: 'fulfilled', value: 'again' },
  ]);
});
