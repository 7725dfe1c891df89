/** Goal: the state and rate of a worker follow from its reports and consumers. Method: reports of one minute. */
import { expect, test } from 'vitest';
import { toWorkers } from '../../../../../src/rooms/status/queries/workers.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 9);

function reportsOf(name: string, agesSeconds: readonly number[], isDraining = false) {
  return agesSeconds.map((age, nth) => ({
    atMs: NOW_MS - age * 1000,
    report: {
      name,
      startedAt: '2026-11-20T08:00:00.000Z',
      version: '0.1.0',
      scored: { 'US-EG': 1000 + 300 * nth, 'GB-NG': 5 },
      isDraining: isDraining && nth === agesSeconds.length - 1,
    },
  }));
}

const holding = (worker: string, entries: number, idleMs: number) => ({
  ...{ worker, corridor: 'US-EG', entries, idleMs },
});

const stateOf = (
  ...[reports, holdings]: [ReturnType<typeof reportsOf>, ReturnType<typeof holding>[]]
) => toWorkers(reports, holdings, NOW_MS).map(({ state }) => state);

test('reports give the rate of a worker and the corridors in which it scored', () => {
  const [one] = toWorkers(reportsOf('a-1', [7, 4, 1]), [holding('a-1', 2, 50)], NOW_MS);
  expect(one).toMatchObject({
    ...{ state: 'live', scored_per_second: 100, corridors: ['US-EG'], pending: 2 },
    seen_at: '2026-11-20T08:59:59.000Z',
  });
});

test('a worker is silent ten seconds after its last report, whatever its consumers seem to do', () => {
  expect(stateOf(reportsOf('a-1', [10]), [])).toEqual(['live']);
  expect(stateOf(reportsOf('a-1', [10.1]), [])).toEqual(['silent']);
  expect(stateOf([], [holding('a-1', 1, 60_000)])).toEqual(['silent']);
  // A restart of Redis has begun their idle time anew.
  expect(stateOf(reportsOf('a-1', [30]), [holding('a-1', 1, 500)])).toEqual(['silent']);
  expect(stateOf([], [holding('a-1', 1, 100)])).toEqual(['silent']);
  expect(stateOf([], [holding('a-1', 0, 100)])).toEqual([]);
});

test('workers that drained and consumers without entries are not listed', () => {
  const stopped = reportsOf('a-1', [50, 30], true);
  expect(stateOf(stopped, [])).toEqual([]);
  expect(stateOf(stopped, [holding('a-1', 3, 30_000)])).toEqual(['silent']);
  expect(stateOf(reportsOf('a-1', [4, 1], true), [holding('a-1', 3, 100)])).toEqual(['draining']);
  expect(stateOf([], [holding('a-1', 0, 60_000)])).toEqual([]);
});
