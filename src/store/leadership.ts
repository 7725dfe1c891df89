/**
 * Duties that one process of a market does at a time: whoever gets the advisory lock does the duty, the
 * others pass. The lock ends with its connection, so a dead leader blocks nobody. Duties are harmless
 * when two run after all; the lock saves work, it guards nothing.
 */
import { toFailure } from './pg-failure.ts';
import type { Database } from './pool.ts';

/** Session-independent keys of the locks; partitions.ts and migrate.ts have theirs beside these. */
const LOCKS = {
  reconcile: 7_212_010,
  partitions: 7_212_011,
  keys: 7_212_012,
  watch: 7_212_014,
  labels: 7_212_013,
  tallies: 7_212_015,
} as const;
export type LeaderDuty = keyof typeof LOCKS;

export type Leadership = {
  /** Runs `work` if nobody else does; resolves to whether it ran. */
  readonly lead: (duty: LeaderDuty, work: () => Promise<void>) => Promise<boolean>;
};

/** @param sessions false behind a transaction-pooling proxy: then the lock lasts one transaction */
export function createLeadership(database: Database, sessions: boolean): Leadership {
  return {
    lead: async (duty, work) =>
      await database.session(async (client) => {
        const [begin, lock, end] = sessions
          ? [null, 'pg_try_advisory_lock', 'select pg_advisory_unlock_all()']
          : ['begin', 'pg_try_advisory_xact_lock', 'commit'];
        try {
          if (begin !== null) await client.query(begin);
          const { rows } = await client.query<{ ours: boolean }>(`select ${lock}($1) as ours`, [
            LOCKS[duty],
          ]);
          const ours = rows[0]?.ours === true;
          if (ours) await work();
          await client.query(end);
          return ours;
        } catch (error) {
          await client.query(end).catch(() => undefined);
          throw toFailure(error);
        }
      }),
  };
}
