/** The work of a worker: bounded, known by stream, and listed once it is old. */
import { describe, expect, test } from 'vitest';
import { createInFlight } from '../../../../src/core/work/in-flight.ts';
import { entryOf, stream } from './delivered-entries.ts';

const entries = (...ids: string[]) => ids.map((id) => entryOf(id));

describe('inFlight', () => {
  test('names what is in flight until it ends', () => {
    const inFlight = createInFlight(never(), () => 0);
    const { end } = inFlight.begin(entries('1-0', '2-0'));
    expect(inFlight.idsOf(stream.transactions)).toEqual(new Set(['1-0', '2-0']));
    expect(inFlight.idsOf('another')).toEqual(new Set());
    expect(inFlight.transactions()).toBe(2);
    end();
    expect(inFlight.idsOf(stream.transactions)).toEqual(new Set());
    expect(inFlight.transactions()).toBe(0);
  });

  test('has room below a bound only', async () => {
    const inFlight = createInFlight(never(), () => 0);
    inFlight.begin(entries('1-0', '2-0'));
    await inFlight.below(2);
    const { end } = inFlight.begin(entries('3-0'));
    let open = false;
    const room = inFlight.below(2).then(() => {
      open = true;
    });
    await Promise.resolve();
    expect(open).toBe(false);
    end();
    await room;
    expect(open).toBe(true);
  });

  test('a lane has room of its own, and the batches of all lanes are known', async () => {
    const inFlight = createInFlight(never(), () => 0);
    inFlight.begin(entries('1-0'));
    const lane = inFlight.lane();
    await lane.below(1);
    lane.begin(entries('2-0'));
    expect([inFlight.transactions(), lane.transactions()]).toEqual([1, 1]);
    expect(inFlight.idsOf(stream.transactions)).toEqual(new Set(['1-0', '2-0']));
  });

  test('lists by stream and consumer what is old', () => {
    let nowMs = 0;
    const inFlight = createInFlight(never(), () => nowMs);
    inFlight.begin(entries('1-0'));
    nowMs = 100;
    inFlight.begin(entries('2-0'));
    expect(inFlight.olderThan(100)).toEqual([
      { stream: stream.transactions, consumer: 'c-1', ids: ['1-0'] },
    ]);
  });

  test('stops waiting for room when the worker stops, and still waits until all has ended', async () => {
    const stop = new AbortController();
    const inFlight = createInFlight(stop.signal, () => 0);
    const { end } = inFlight.begin(entries('1-0'));
    const room = inFlight.below(1);
    stop.abort();
    await room;
    const drained = inFlight.drained();
    end();
    await drained;
    expect(inFlight.idsOf(stream.transactions).size).toBe(0);
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
