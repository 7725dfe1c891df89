/** What a worker holds: bounded, known by stream, and listed once it is old. */
import { describe, expect, test } from 'vitest';
import { streamKeys } from '../../../src/stream/keys.ts';
import { createInFlight } from '../../../src/worker/in-flight.ts';
import type { HeldEntry } from '../../../src/worker/item.ts';

const stream = streamKeys('m', 'US-EG', 0);

function held(...ids: string[]): HeldEntry[] {
  const fields = { version: '1', packed: '[]', deleted: false, deliveries: 1 };
  return ids.map((id) => ({ stream, consumer: 'c-1', entry: { id, ...fields } }));
}

describe('inFlight', () => {
  test('counts and names what is held until it is let go', () => {
    const inFlight = createInFlight({ entriesMax: 10, signal: never(), nowMs: () => 0 });
    const letGo = inFlight.hold(held('1-0', '2-0'));
    expect(inFlight.count()).toBe(2);
    expect(inFlight.idsOf(stream.transactions)).toEqual(new Set(['1-0', '2-0']));
    expect(inFlight.idsOf('another')).toEqual(new Set());
    letGo();
    expect(inFlight.count()).toBe(0);
  });

  test('has room below its bound only', async () => {
    const inFlight = createInFlight({ entriesMax: 2, signal: never(), nowMs: () => 0 });
    const letGo = inFlight.hold(held('1-0', '2-0'));
    let open = false;
    const room = inFlight.room().then(() => {
      open = true;
    });
    await Promise.resolve();
    expect(open).toBe(false);
    letGo();
    await room;
    expect(open).toBe(true);
  });

  test('lists by stream and consumer what is old', () => {
    let nowMs = 0;
    const inFlight = createInFlight({ entriesMax: 10, signal: never(), nowMs: () => nowMs });
    inFlight.hold(held('1-0'));
    nowMs = 100;
    inFlight.hold(held('2-0'));
    expect(inFlight.olderThan(100)).toEqual([
      { stream: stream.transactions, consumer: 'c-1', ids: ['1-0'] },
    ]);
  });

  test('stops waiting for room when the worker stops, and still waits until all is let go', async () => {
    const stop = new AbortController();
    const inFlight = createInFlight({ entriesMax: 1, signal: stop.signal, nowMs: () => 0 });
    const letGo = inFlight.hold(held('1-0'));
    const room = inFlight.room();
    stop.abort();
    await room;
    const drained = inFlight.drained();
    letGo();
    await drained;
    expect(inFlight.count()).toBe(0);
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
