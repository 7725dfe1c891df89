/** Snapshots in Postgres, where a test has none: each party that is missing is rebuilt from its rows. */
import type { Snapshots } from '../../src/core/work/profiles/profiles.ts';

export const NO_SNAPSHOTS: Snapshots = {
  mark: async () => ({ foldedTo: '0', rowsFrom: '1970-01-01 00:00:00+00' }),
  read: async (points) => points.map(() => undefined),
  store: async () => undefined,
  areCounted: async (rows) => rows.map(() => false),
  rowsMin: Number.POSITIVE_INFINITY,
};
