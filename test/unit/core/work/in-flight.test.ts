/** What a worker holds: bounded, known by stream, and listed once it is old. */
import { describe, expect, test } from 'vitest';
import { createInFlight } from '../../../../src/core/work/in-flight.ts';
import { held, stream } from './held-entries.ts';

describe('inFlight', () => {
  test('names what is held until it is let go', () => {
    const inFlight = createInFlight(never(), () => 0);
    const letGo = inFlight.hold(held('1-0', '2-0'));
    expect(inFlight.idsOf(stream.transactions)).toEqual(new Set(['1-0', '2-0']));
    expect(inFlight.idsOf('another')).toEqual(new Set());
    expect(inFlight.transactions()).toBe(2);
    letGo();
    expect(inFlight.idsOf(stream.transactions)).toEqual(new Set());
    expect(inFlight.transactions()).toBe(0);
  });

  test('has room below a bound only', async () => {
    const inFlight = createInFlight(never(), () => 0);
    inFlight.hold(held('1-0', '2-0'));
    await inFlight.below(2);
    const letGo = inFlight.hold(held('3-0'));
    let open = false;
    const room = inFlight.below(2).then(() => {
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
    const inFlight = createInFlight(never(), () => nowMs);
    inFlight.hold(held('1-0'));
    nowMs = 100;
    inFlight.hold(held('2-0'));
    expect(inFlight.olderThan(100)).toEqual([
      { stream: stream.transactions, consumer: 'c-1', ids: ['1-0'] },
    ]);
  });

  test('stops waiting for room when the worker stops, and still waits until all is let go', async () => {
    const stop = new AbortController();
    const inFlight = createInFlight(stop.signal, () => 0);
    const letGo = inFlight.hold(held('1-0'));
    const room = inFlight.below(1);
    stop.abort();
    await room;
    const drained = inFlight.drained();
    letGo();
    await drained;
    expect(inFlight.idsOf(stream.transactions).size).toBe(0);
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
