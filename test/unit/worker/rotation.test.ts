/** Streams as tokens: one holder at a time, in turn, and nobody waits for ever. */
import { describe, expect, test } from 'vitest';
import { streamKeys } from '../../../src/stream/keys.ts';
import { createRotation } from '../../../src/worker/rotation.ts';

const [a, b, c] = ['US-EG', 'US-MX', 'DE-TR'].map((corridor) => streamKeys('m', corridor, 0)) as [
  ReturnType<typeof streamKeys>,
  ReturnType<typeof streamKeys>,
  ReturnType<typeof streamKeys>,
];

describe('rotation', () => {
  test('hands out every free stream, longest free first, and each only once', async () => {
    const rotation = createRotation(new AbortController().signal);
    for (const stream of [a, b, c, a]) rotation.add(stream);
    expect(await rotation.take()).toEqual([a, b, c]);
    rotation.giveBack([b]);
    rotation.giveBack([a]);
    expect(await rotation.take()).toEqual([b, a]);
    expect(rotation.streams()).toEqual([a, b, c]);
  });

  test('wakes one who waits when a stream comes back or appears', async () => {
    const rotation = createRotation(new AbortController().signal);
    const first = rotation.take();
    const second = rotation.take();
    rotation.add(a);
    expect(await first).toEqual([a]);
    rotation.add(b);
    expect(await second).toEqual([b]);
  });

  test('hands out nothing once the worker stops', async () => {
    const stop = new AbortController();
    const rotation = createRotation(stop.signal);
    const waiting = rotation.take();
    stop.abort();
    expect(await waiting).toEqual([]);
    rotation.add(a);
    expect(await rotation.take()).toEqual([]);
  });
});
