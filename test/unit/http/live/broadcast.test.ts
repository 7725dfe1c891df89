/** Goal: listeners cost a bounded amount of memory and places, whatever they do. Method: streams that are read, and that are not. */
import { expect, test } from 'vitest';
import { createBroadcast } from '../../../../src/http/live/broadcast.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const allowed = async () => true;
const nothing = () => undefined;

function start(listenersMax = 2, listenersOfKeyMax = listenersMax) {
  const end = new AbortController();
  let reads = 0;
  const broadcast = createBroadcast({
    read: async () => ++reads,
    toPoint: () => ({}),
    ...{ everyMs: 1, listenersMax, listenersOfKeyMax, signal: end.signal, log: { warn: nothing } },
  });
  return { broadcast, end, reads: () => reads };
}

test('a listener that takes nothing is cut off, and its place is free', async () => {
  const { broadcast, end } = start(1);
  let isCutOff = false;
  const cutOff = () => {
    isCutOff = true;
  };
  const stream = broadcast.listen({ keyId: 'ann', isAllowed: allowed, cutOff });
  expect(broadcast.listen({ keyId: 'ann', isAllowed: allowed, cutOff: nothing })).toBeUndefined();
  await waitUntil(() => isCutOff, 5000, 'the listener to be cut off');
  let events = 0;
  for await (const _ of stream ?? []) events++;
  expect(events).toBe(4);
  expect(broadcast.listen({ keyId: 'ann', isAllowed: allowed, cutOff: nothing })).toBeDefined();
  end.abort();
});

test('a listener that takes every event stays, and one that stops for a while misses events alone', async () => {
  const { broadcast, end, reads } = start();
  const stream = broadcast.listen({
    keyId: 'ann',
    isAllowed: allowed,
    cutOff: () => {
      throw new Error('cut off');
    },
  });
  const reader = (stream ?? new ReadableStream()).getReader();
  for (let nth = 0; nth < 100; nth++) expect((await reader.read()).done).toBe(false);
  const before = reads();
  await waitUntil(() => reads() > before + 10, 5000, 'further events');
  for (let nth = 0; nth < 20; nth++) expect((await reader.read()).done).toBe(false);
  end.abort();
  await waitUntil(async () => (await reader.read()).done, 5000, 'the end');
});

test('one key takes its own places alone', () => {
  const { broadcast, end } = start(3, 2);
  const listen = (keyId: string) =>
    broadcast.listen({ keyId, isAllowed: allowed, cutOff: nothing }) !== undefined;
  expect(['ann', 'ann', 'ann', 'bob', 'bob'].map(listen)).toEqual([true, true, false, true, false]);
  end.abort();
});

test('a listener that is not allowed any more is left', async () => {
  const { broadcast } = start();
  let isAllowed = true;
  const stream = broadcast.listen({
    keyId: 'ann',
    isAllowed: async () => isAllowed,
    cutOff: nothing,
  });
  const reader = (stream ?? new ReadableStream()).getReader();
  await reader.read();
  await reader.read();
  isAllowed = false;
  await waitUntil(async () => (await reader.read()).done, 5000, 'the end');
});
