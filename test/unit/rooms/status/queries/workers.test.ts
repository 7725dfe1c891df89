/** Goal: the state and rate of a worker follow from its reports and consumers, and a lost worker is missed. Method: times of reports. */
import { expect, test } from 'vitest';
import { missingWorkers } from '../../../../../src/rooms/status/queries/missing-workers.ts';
import { toWorkers } from '../../../../../src/rooms/status/queries/workers.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 9);

function reportsOf(name: string, agesSeconds: readonly number[], isDraining = false) {
  return agesSeconds.map((age, nth) => ({
    atMs: NOW_MS - age * 1000,
    report: {
      name,
      startedAt: '2026-11-20T08:00:00.000Z',
      version: '1.0.0',
      scored: { 'US-EG': 1000 + 300 * nth, 'GB-NG': 5 },
      isDraining: isDraining && nth === agesSeconds.length - 1,
      processorSeconds: 1,
    },
  }));
}

const holding = (worker: string, entries: number, idleMs: number) => ({
  ...{ worker, corridor: 'US-EG', entries, idleMs },
});

const seenAt = (name: string, startedAgo: number, seenAgo: number) => ({
  atMs: NOW_MS - seenAgo * 1000,
  worker: {
    name,
    version: '1.0.0',
    startedAt: new Date(NOW_MS - startedAgo * 1000).toISOString(),
  },
});

type Found = Parameters<typeof toWorkers>[0];
const listed = (found: Partial<Found>) =>
  toWorkers({ reports: [], seen: [], holdings: [], nowMs: NOW_MS, ...found });
const stateOf = (reports: Found['reports'], holdings: Found['holdings']) =>
  listed({ reports, holdings, seen: reports.slice(-1).map(toSeen) }).map(({ state }) => state);
const toSeen = ({ report: { name, startedAt, version }, atMs }: Found['reports'][number]) => ({
  ...{ atMs, worker: { name, startedAt, version } },
});

test('reports give the rate of a worker and the corridors in which it scored', () => {
  const [one] = listed({ reports: reportsOf('a-1', [7, 4, 1]), holdings: [holding('a-1', 2, 50)] });
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

test('a worker that is missed is listed as silent, though its report has a later stamp', () => {
  const seen = [seenAt('a-1', 9000, 10.05)];
  expect(missingWorkers(seen, NOW_MS)).toHaveLength(1);
  const reports = reportsOf('a-1', [9.95]);
  expect(listed({ reports, seen })).toMatchObject([{ state: 'silent' }]);
});

test('a worker that fell silent without a farewell is listed until another one replaces it', () => {
  const frozen = seenAt('a-1', 9000, 1800);
  expect(listed({ seen: [frozen, seenAt('b-1', 9000, 1)] })).toMatchObject([
    { worker: 'a-1', state: 'silent', seen_at: '2026-11-20T08:30:00.000Z', version: '1.0.0' },
    { worker: 'b-1', state: 'live' },
  ]);
  expect(listed({ seen: [frozen, seenAt('c-1', 1700, 1)] })).toMatchObject([{ worker: 'c-1' }]);
});

test('each worker replaces one that fell silent before it started, whatever became of it later', () => {
  const missing = (...seen: ReturnType<typeof seenAt>[]) =>
    missingWorkers(seen, NOW_MS).map(({ worker }) => worker.name);
  const [first, second] = [seenAt('a-1', 9000, 1800), seenAt('b-1', 9000, 600)];
  expect(missing(first, second)).toEqual(['b-1', 'a-1']);
  expect(missing(first, second, seenAt('c-1', 1700, 1))).toEqual(['b-1']);
  expect(missing(first, second, seenAt('c-1', 500, 1))).toEqual(['a-1']);
  expect(missing(first, second, seenAt('c-1', 1700, 1), seenAt('d-1', 500, 1))).toEqual([]);
  expect(missing(first, seenAt('b-1', 1700, 600), seenAt('c-1', 500, 1))).toEqual([]);
});
