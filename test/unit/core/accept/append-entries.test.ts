/** Appending while Redis refuses: who tries, who skips, what is counted. */
import { expect, test } from 'vitest';
import { createTryAppend } from '../../../../src/core/accept/ingest.ts';
import type { EntryPayload } from '../../../../src/core/stream/entries/entry.ts';
import type { Producer } from '../../../../src/core/stream/entries/producer.ts';
import type { Breaker } from '../../../../src/kit/breakers/breaker.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

const entry = { transaction: { corridor: 'US-MX' } } as EntryPayload;
/** Breakers that never open. */
const closed = { state: () => 'closed', run: (call: () => unknown) => call() } as Breaker;
const breakers = { redis: closed, streamsOf: () => closed };

function setUp() {
  const state = { nowMs: 0, isDown: false, left: 0, calls: 0, reasons: [] as string[] };
  const producer: Producer = {
    async append(payloads) {
      state.calls += 1;
      if (state.isDown) throw new Failure('unavailable', 'REDIS_OOM', 'full');
      return payloads.slice(0, state.left);
    },
  };
  const failures = { inc: ({ reason }: { reason: string }) => state.reasons.push(reason) };
  const tryAppend = createTryAppend(producer, breakers, failures, () => state.nowMs);
  return { state, tryAppend };
}

test('after a failure one caller a second tries again, the others skip', async () => {
  const { state, tryAppend } = setUp();
  state.isDown = true;
  expect(await tryAppend([entry])).toEqual([entry]);
  state.nowMs = 999;
  expect(await tryAppend([entry])).toEqual([entry]);
  expect(state.calls).toBe(1);
  state.nowMs = 1000;
  const [first, second] = [tryAppend([entry]), tryAppend([entry])];
  expect(await Promise.all([first, second])).toEqual([[entry], [entry]]);
  expect(state.calls).toBe(2);
  state.isDown = false;
  state.nowMs = 2000;
  expect(await tryAppend([entry])).toEqual([]);
  expect(await tryAppend([entry])).toEqual([]);
  expect(state.reasons).toHaveLength(4);
});
