/** The disk of Postgres is full for a while. Postgres cannot commit, so the API refuses with `Retry-After`. */
import { fillDisk, freeBytes } from '../support/disk.ts';
import { during } from '../support/during.ts';
import { barRefusals } from '../support/refusals.ts';

/** Holds an empty cluster with room for what a run writes before the harm is done. */
const POSTGRES_DISK_BYTES = 512 * 1024 * 1024;
const FULL_BYTES = 64 * 1024;

export const diskFull = during({
  name: 'postgres-disk-full',
  what: 'the disk of Postgres is full',
  faults: ['disk filled', 'requests refused'],
  forMs: [3000, 5000],
  judge: barRefusals,
  setup: {
    countersExact: false,
    postgresDiskBytes: POSTGRES_DISK_BYTES,
    // Segments are not kept for later, so that new ones need room soon.
    postgresSettings: { max_wal_size: '64MB', min_wal_size: '32MB' },
  },
  harm: async ({ services, load, happened }) => {
    const before = load.refusals.length;
    const ballast = fillDisk(services.disk);
    if (freeBytes(services.disk) < FULL_BYTES) happened('disk filled');
    return async () => {
      happened('requests refused', load.refusals.length - before);
      ballast[Symbol.dispose]();
      // Postgres ends itself without space for its WAL; the scenario starts it again.
      await services.postgres.start();
    };
  },
});
