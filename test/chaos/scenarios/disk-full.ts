/**
 * The disk of Redis, then that of Postgres is full for a while. Redis then answers and refuses every write, so
 * the API accepts without it; Postgres cannot commit, so the API refuses with `Retry-After`.
 */
import { fillDisk, freeBytes } from '../support/disk.ts';
import { during } from '../support/during.ts';
import { barRefusals } from '../support/refusals.ts';
import type { Scenario } from '../support/scenario.ts';

const REDIS_DISK_BYTES = 64 * 1024 * 1024;
/** Holds an empty cluster with room for what a run writes before the harm is done. */
const POSTGRES_DISK_BYTES = 512 * 1024 * 1024;
const FULL_BYTES = 64 * 1024;

const redis = during({
  name: 'redis-disk-full',
  what: 'the disk of Redis is full: MISCONF',
  faults: ['redis refused a write'],
  forMs: [3000, 5000],
  setup: { diskBytes: { redis: REDIS_DISK_BYTES } },
  harm: async ({ services: { disks, client }, happened }) => {
    const ballast = fillDisk(disks.redis);
    return async () => {
      const isRefused = await client.set('{chaos}:probe', 'x').then(
        () => false,
        () => true,
      );
      if (isRefused) happened('redis refused a write');
      ballast[Symbol.dispose]();
    };
  },
});

const postgres = during({
  name: 'postgres-disk-full',
  what: 'the disk of Postgres is full',
  faults: ['disk filled', 'requests refused'],
  forMs: [3000, 5000],
  judge: barRefusals,
  setup: {
    countersExact: false,
    diskBytes: { postgres: POSTGRES_DISK_BYTES },
    // Segments are not kept for later, so that new ones need room soon.
    postgresSettings: { max_wal_size: '64MB', min_wal_size: '32MB' },
  },
  harm: async ({ services, load, happened }) => {
    const before = load.refusals.length;
    const ballast = fillDisk(services.disks.postgres);
    if (freeBytes(services.disks.postgres) < FULL_BYTES) happened('disk filled');
    return async () => {
      happened('requests refused', load.refusals.length - before);
      ballast[Symbol.dispose]();
      // Postgres ends itself without space for its WAL; the scenario starts it again.
      await services.postgres.start();
    };
  },
});

export const diskFull: readonly Scenario[] = [redis, postgres];
