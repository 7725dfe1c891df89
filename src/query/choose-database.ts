/** Which Postgres answers a read: recent data comes from the primary, older from a replica if there is one. */
import type { Database } from '../store/pool.ts';

export type Databases = {
  readonly primary: Database;
  /** Null where no replica is configured. */
  readonly replica: Database | null;
  /** True while the primary is too slow for reads: the replica answers even for recent data. */
  readonly sparesPrimary?: () => boolean;
  readonly now: () => number;
};

/** Data younger than this is read from the primary; a replica further behind than this is an incident. */
export const RECENT_MS = 5 * 60 * 1000;

/** @param newestMs created_at of the newest row the read may return, exclusive */
export function chooseDatabase(databases: Databases, newestMs: number): Database {
  const { primary, replica, now } = databases;
  if (replica !== null && databases.sparesPrimary?.() === true) return replica;
  return replica === null || newestMs > now() - RECENT_MS ? primary : replica;
}

/**
 * Reads one row that may have been written a moment ago although it is old by its created_at, as an
 * import is: what the replica does not have is asked of the primary.
 */
export async function readOne<T>(
  databases: Databases,
  createdAtMs: number,
  read: (database: Database) => Promise<T | undefined>,
): Promise<T | undefined> {
  const first = chooseDatabase(databases, createdAtMs);
  const found = await read(first);
  return found === undefined && first !== databases.primary ? await read(databases.primary) : found;
}
