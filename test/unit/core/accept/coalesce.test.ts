/** Calls that arrive at the same time are run together, and each gets its own result. */
import { expect, test, vi } from 'vitest';
import {
  type CoalescerOptions,
  createCoalescer,
} from '../../../../src/core/accept/shared-commits.ts';

/** Runs that end under the test's control. */
function createRuns(limits: Partial<CoalescerOptions<number, string>> = {}) {
  const runs: { items: readonly number[]; end: () => void; fail: (error: Error) => void }[] = [];
  const coalescer = createCoalescer<number, string>({
    run(items) {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>();
      const copied = [...items];
      runs.push({ items: copied, end: () => resolve(copied.map((n) => `r${n}`)), fail: reject });
      return promise;
    },
    ...{ runsMax: 1, sizeMax: 10, sizeOf: () => 1, stallMs: 60_000, paceMs: 0, ...limits },
  });
  const started = (count: number) => vi.waitUntil(() => runs.length >= count);
  return { coalescer, runs, started };
}

test('coalesce runs a call at once, and what comes meanwhile together', async () => {
  const { coalescer, runs, started } = createRuns();
  const first = coalescer(1);
  await started(1);
  const later = [2, 3, 4].map((n) => coalescer(n));
  expect(runs.map(({ items }) => items)).toEqual([[1]]);
  runs[0]?.end();
  expect(await first).toBe('r1');
  await started(2);
  expect(runs[1]?.items).toEqual([2, 3, 4]);
  runs[1]?.end();
  expect(await Promise.all(later)).toEqual(['r2', 'r3', 'r4']);
});

test('coalesce fills a run by the sizes of its items, in the order in which they came', async () => {
  const { coalescer, runs, started } = createRuns({ runsMax: 3, sizeOf: (n) => n });
  const results = [6, 4, 7, 12, 1].map((n) => coalescer(n));
  await started(3);
  expect(runs.map(({ items }) => items)).toEqual([[6, 4], [7], [12]]);
  for (const run of runs) run.end();
  await started(4);
  expect(runs[3]?.items).toEqual([1]);
  runs[3]?.end();
  expect(await Promise.all(results)).toEqual(['r6', 'r4', 'r7', 'r12', 'r1']);
});

test('a run that fails, fails for its own items only', async () => {
  const { coalescer, runs, started } = createRuns();
  const failing = coalescer(1);
  await started(1);
  const other = coalescer(2);
  runs[0]?.fail(new Error('away'));
  await expect(failing).rejects.toThrow('away');
  await started(2);
  runs[1]?.end();
  expect(await other).toBe('r2');
});

test('a run that stalls does not hold up those behind it', async () => {
  const { coalescer, runs, started } = createRuns({ stallMs: 1 });
  const stalled = coalescer(1);
  await started(1);
  const next = coalescer(2);
  await started(2);
  runs[1]?.end();
  expect(await next).toBe('r2');
  runs[0]?.end();
  expect(await stalled).toBe('r1');
});

test('slow runs begin less often', async () => {
  vi.useFakeTimers();
  try {
    const begunAt: number[] = [];
    const coalescer = createCoalescer<number, number>({
      run: async (items) => {
        begunAt.push(performance.now());
        await new Promise((resolve) => setTimeout(resolve, 20));
        return items;
      },
      ...{ runsMax: 10, sizeMax: 100, sizeOf: () => 1, stallMs: 60_000, paceMs: 5 },
    });
    const results: Promise<number>[] = [];
    for (let ms = 0; ms < 300; ms++) {
      results.push(coalescer(ms));
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(50);
    expect(await Promise.all(results)).toHaveLength(300);
    const gaps = begunAt.slice(1).map((at, index) => at - (begunAt[index] ?? 0));
    expect([gaps[0], gaps.at(-1)]).toEqual([5, 15]);
  } finally {
    vi.useRealTimers();
  }
});

test('a run beside others begins a moment after the one before it', async () => {
  vi.useFakeTimers();
  try {
    const { coalescer, runs } = createRuns({ runsMax: 2, sizeMax: 3, paceMs: 5 });
    const submit = async (...items: number[]) => {
      const results = items.map((n) => coalescer(n));
      await vi.advanceTimersByTimeAsync(0);
      return results;
    };
    const begun = () => runs.map(({ items }) => items);
    const first = await submit(1);
    const others = await submit(2);
    await vi.advanceTimersByTimeAsync(4);
    others.push(...(await submit(3)));
    expect(begun()).toEqual([[1]]);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun()).toEqual([[1], [2, 3]]);
    // A full run has nothing to wait for.
    runs[0]?.end();
    runs[1]?.end();
    expect(await Promise.all([...first, ...others])).toEqual(['r1', 'r2', 'r3']);
    const full = await submit(4, 5, 6);
    expect(begun().at(-1)).toEqual([4, 5, 6]);
    runs[2]?.end();
    expect(await Promise.all(full)).toEqual(['r4', 'r5', 'r6']);
  } finally {
    vi.useRealTimers();
  }
});
