/** Appending while Redis refuses: who tries, who skips, what is counted. */
import { expect, test } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { createTryAppend } from '../../../src/ingest/append-entries.ts';
import { createBatchCloser } from '../../../src/ingest/batch-closer.ts';
import type { EntryPayload } from '../../../src/stream/entries/entry.ts';

const entry = {} as EntryPayload;

function setUp() {
  const state = { nowMs: 0, isDown: false, left: 0, calls: 0, reasons: [] as string[] };
  const tryAppend = createTryAppend({
    append: async (payloads) => {
      state.calls += 1;
      if (state.isDown) throw new Failure('unavailable', 'REDIS_OOM', 'full');
      return { appended: payloads.length - state.left, left: payloads.slice(0, state.left) };
    },
    failures: { inc: ({ reason }) => state.reasons.push(reason) },
    nowMs: () => state.nowMs,
  });
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

test('a full stream is counted and does not stop the next caller', async () => {
  const { state, tryAppend } = setUp();
  state.left = 1;
  expect(await tryAppend([entry, entry])).toHaveLength(1);
  state.left = 0;
  expect(await tryAppend([entry])).toEqual([]);
  expect(state.reasons).toEqual(['full']);
});

test('a bug is not taken for an outage', async () => {
  const tryAppend = createTryAppend({
    append: () => Promise.reject(new TypeError('bug')),
    failures: { inc: () => undefined },
    nowMs: () => 0,
  });
  await expect(tryAppend([entry])).rejects.toThrow('bug');
});

test('the closer gathers ids, deletes many at once, and outlives a failure', async () => {
  const deleted: (readonly string[])[] = [];
  const narrowed: string[][] = [];
  let isDown = false;
  const closer = createBatchCloser({
    deleteBatches: async (ids) => {
      if (isDown) throw new Failure('unavailable', 'X', 'x');
      deleted.push(ids);
    },
    narrowBatch: async (batchId, ids) => void narrowed.push([batchId, ...ids]),
    log: { warn: () => undefined },
  });
  for (let n = 0; n < 150; n++) closer.close(String(n));
  closer.narrow('partly', ['left']);
  await closer.flush();
  expect(narrowed).toEqual([['partly', 'left']]);
  expect(deleted.flat()).toHaveLength(150);
  expect(deleted.length).toBeLessThan(3);
  isDown = true;
  closer.close('lost');
  await closer.flush();
  isDown = false;
  closer.close('next');
  await closer.flush();
  expect(deleted.at(-1)).toEqual(['next']);
});
