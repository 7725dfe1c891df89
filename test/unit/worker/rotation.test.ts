/** Streams as tokens: one holder at a time, in turn, and nobody waits for ever. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { streamKeys } from '../../../src/stream/keys.ts';
import { createRotation } from '../../../src/worker/rotation.ts';

const [a, b, c] = ['US-EG', 'US-MX', 'DE-TR'].map((corridor) => streamKeys('m', corridor, 0)) as [
  ReturnType<typeof streamKeys>,
  ReturnType<typeof streamKeys>,
  ReturnType<typeof streamKeys>,
];

const own = (...streams: readonly (typeof a)[]) => ({ streams, isOwn: true });
const others = (...streams: readonly (typeof a)[]) => ({ streams, isOwn: false });

describe('rotation', () => {
  test('hands out every free stream, longest free first, and each only once', async () => {
    const rotation = createRotation(new AbortController().signal, () => 0);
    for (const stream of [a, b, c, a]) rotation.add(stream);
    expect(await rotation.take()).toEqual(own(a, b, c));
    rotation.giveBack([b]);
    rotation.giveBack([a]);
    expect(await rotation.take()).toEqual(own(b, a));
    expect(rotation.streams()).toEqual([a, b, c]);
  });

  test('wakes one who waits when a stream comes back or appears', async () => {
    const rotation = createRotation(new AbortController().signal, () => 0);
    const first = rotation.take();
    const second = rotation.take();
    rotation.add(a);
    expect(await first).toEqual(own(a));
    rotation.add(b);
    expect(await second).toEqual(own(b));
  });

  test('hands out nothing once the worker stops', async () => {
    const stop = new AbortController();
    const rotation = createRotation(stop.signal, () => 0);
    const waiting = rotation.take();
    stop.abort();
    expect(await waiting).toEqual(own());
    rotation.add(a);
    expect(await rotation.take()).toEqual(own());
  });

  test("looks at another worker's streams at once when idle, and seldom while its own are full", async () => {
    let now = 0;
    const rotation = createRotation(new AbortController().signal, () => now);
    for (const stream of [a, b, c]) rotation.add(stream);
    rotation.own(new Set([a.transactions]));
    expect(await rotation.take()).toEqual(others(b, c));
    rotation.giveBack([b, c]);
    expect(await rotation.take()).toEqual(own(a));
    rotation.noteFull([a]);
    rotation.giveBack([a]);

    now = 249;
    expect(await rotation.take()).toEqual(own(a));
    rotation.giveBack([a]);
    now = 250;
    expect(await rotation.take()).toEqual(others(b, c));
    rotation.giveBack([b, c]);

    for (now = 300; now < 10_000; now += 100) {
      expect(await rotation.take()).toEqual(own(a));
      rotation.noteFull([a]);
      rotation.giveBack([a]);
    }
    now = 10_250;
    rotation.noteFull([a]);
    expect(await rotation.take()).toEqual(others(b, c));
  });

  test("helps with another worker's stream whose look was full, unless its own are; its own come between", async () => {
    let now = 0;
    const rotation = createRotation(new AbortController().signal, () => now);
    for (const stream of [a, b, c]) rotation.add(stream);
    rotation.own(new Set([a.transactions]));
    expect(await rotation.take()).toEqual(others(b, c));
    rotation.noteFull([b]);
    rotation.giveBack([b, c]);
    expect(await rotation.take()).toEqual(own(a));
    // Nobody waits for a stream that is ours: help goes on all the same.
    for (now = 10; now < 100; now += 10) {
      expect(await rotation.take()).toEqual(others(b));
      rotation.noteFull([b]);
      rotation.giveBack([b]);
    }
    rotation.giveBack([a]);
    expect(await rotation.take()).toEqual(own(a));
    expect(await rotation.take()).toEqual(others(b));
    rotation.noteFull([a, b]);
    rotation.giveBack([a, b]);
    for (const _ of [1, 2]) {
      expect(await rotation.take()).toEqual(own(a));
      rotation.giveBack([a]);
    }
    now += 250;
    expect(await rotation.take()).toEqual(others(c, b));
    rotation.giveBack([b, c]);
    expect(await rotation.take()).toEqual(own(a));
    rotation.giveBack([a]);
    now += 249;
    expect(await rotation.take()).toEqual(own(a));
  });

  test('a stream that becomes ours is waited for as ours', async () => {
    const rotation = createRotation(new AbortController().signal, () => 0);
    for (const stream of [a, b]) rotation.add(stream);
    rotation.own(new Set([a.transactions]));
    expect(await rotation.take()).toEqual(others(b));
    rotation.giveBack([b]);
    rotation.own(new Set([a.transactions, b.transactions]));
    expect(await rotation.take()).toEqual(own(a, b));
  });

  test("streams that come back together wake another for our own when the first looks at others'", async () => {
    let now = 0;
    const rotation = createRotation(new AbortController().signal, () => now);
    for (const stream of [a, b]) rotation.add(stream);
    rotation.own(new Set([a.transactions]));
    expect([await rotation.take(), await rotation.take()]).toEqual([others(b), own(a)]);
    const [first, second] = [rotation.take(), rotation.take()];
    now = 250;
    rotation.giveBack([a, b]);
    expect(await first).toEqual(others(b));
    expect(await Promise.race([second, nextTurn().then(() => 'still asleep')])).toEqual(own(a));
  });

  test('a token that comes back wakes one who still waits, not one whose time was over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const rotation = createRotation(new AbortController().signal, () => 0);
      for (const stream of [a, b]) rotation.add(stream);
      rotation.own(new Set([a.transactions]));
      expect(await rotation.take()).toEqual(others(b));
      rotation.giveBack([b]);
      expect(await rotation.take()).toEqual(own(a));
      const waiting = rotation.take();
      // Not due again, as the clock of the rotation stands still: looked for in vain a few times.
      await vi.advanceTimersByTimeAsync(1000);
      rotation.giveBack([a]);
      expect(await Promise.race([waiting, nextTurn().then(() => 'still asleep')])).toEqual(own(a));
    } finally {
      vi.useRealTimers();
    }
  });
});
