/** Reports of workers become figures of profiles, and of Redis' room for them. */
import { expect, test } from 'vitest';
import type { ReportAt } from '../../../../../src/core/stream/status/workers.ts';
import { toProfileTiers } from '../../../../../src/rooms/status/queries/profile-tiers.ts';

const report = (
  name: string,
  atMs: number,
  reads: number,
  partiesWithoutRoom: number,
): ReportAt => ({
  atMs,
  report: {
    ...{ name, startedAt: '2026-11-20T08:00:00.000Z', version: '0.1.0', scored: {} },
    isDraining: false,
    processorSeconds: 0,
    profiles: { worker: 10 * reads, redis: 3 * reads, snapshots: 2 * reads, rows: reads },
    partiesWithoutRoom,
  },
});

test('reads are those between the first and the last report of each worker, parties those of the worker that saw most', () => {
  const reports = [
    report('a', 0, 5, 0),
    report('b', 1, 100, 40),
    report('a', 2, 8, 60),
    report('b', 3, 101, 50),
  ];
  expect(toProfileTiers(reports, 120, 1000)).toEqual({
    reads: { worker: 40, redis: 12, snapshots: 8, rows: 4 },
    redis_keys: 120,
    parties_without_room: 60,
    maxmemory_bytes: 1000,
    maxmemory_bytes_for_all: 1500,
  });
});

test('a worker with one report has read nothing yet, and a Redis without a bound has no figures', () => {
  const found = toProfileTiers([report('a', 0, 5, 7)], 120, Number.POSITIVE_INFINITY);
  expect(found).toMatchObject({ reads: { worker: 0, rows: 0 }, parties_without_room: 7 });
  expect(found).toMatchObject({ maxmemory_bytes: null, maxmemory_bytes_for_all: null });
});
