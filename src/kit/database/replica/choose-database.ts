/**
 * Chooses the Postgres that answers a read: the primary for recent data, the replica for older data while its
 * lag is within the bound. The primary also answers where the replica lacks the row or fails.
 */
import { staleSinceMs } from '../../process/primary-away.ts';
import { isUnavailable } from '../../words/failure.ts';
import type { Database } from '../pool.ts';

export type Replica = {
  readonly database: Database;
  /** As that of the databases. */
  readonly ordered?: Database;
  /** The replica holds everything committed longer ago than this; undefined while it must not be read. */
  readonly ageMs: () => number | undefined;
};

/** Why the primary answered: the caller prefers it; the data is recent; the replica lags or is down; it failed; its answer was not final. */
type PrimaryReason = 'preferred' | 'recent' | 'behind' | 'failed' | 'lacking';
export type CountRead = (
  ...by:
    | [database: 'replica', why: 'in_step' | 'primary_away']
    | [database: 'primary', why: PrimaryReason]
) => void;

export type Databases = {
  readonly primary: Database;
  /** The primary over connections that prefer the order of an index; absent: the primary has no such connections. */
  readonly ordered?: Database;
  /** Null where no replica is configured; reads are not counted then. */
  readonly replica: Replica | null;
  readonly now: () => number;
  readonly countRead?: CountRead;
  /** Called for each read that the replica answered. */
  readonly noteAge?: (ageMs: number) => void;
  /** Whether the replica answers recent data, too, as the primary is to be spared. */
  readonly isSparing?: boolean;
  /** Whether the caller prefers the primary: neither the replica nor memory answers. */
  readonly isPrimaryAlone?: boolean;
};

/**
 * Data whose created_at is more recent comes from the primary, unless reads spare it. A row may be committed later than its
 * created_at, by a request's deadline and by clock skew. Exceeds the largest RISK_REPLICA_LAG_MS_MAX.
 */
export const RECENT_MS = 5 * 60 * 1000;

/**
 * @param newestMs created_at of the newest row the read may return, exclusive
 * @param read     its answer holds everything that was committed before `asOfMs`
 * @param isFinal  false for an answer of the replica that the primary may complete
 */
export async function readFrom<T>(
  databases: Databases,
  newestMs: number,
  read: (database: Database, asOfMs: number) => Promise<T>,
  isFinal: (answer: T) => boolean = () => true,
): Promise<T> {
  const { primary, replica, now, countRead, noteAge, isSparing, isPrimaryAlone } = databases;
  const sinceMs = staleSinceMs();
  if (sinceMs !== undefined) {
    // The primary's queries go to the replica that stands in.
    const answer = await read(primary, sinceMs);
    countRead?.('replica', 'primary_away');
    noteAge?.(now() - sinceMs);
    return answer;
  }
  if (replica === null) return await read(primary, now());
  const isRecent = isSparing !== true && newestMs > now() - RECENT_MS;
  let reason: PrimaryReason = isPrimaryAlone ? 'preferred' : isRecent ? 'recent' : 'behind';
  const ageMs = reason === 'behind' ? replica.ageMs() : undefined;
  if (ageMs !== undefined) {
    const asOfMs = now() - ageMs;
    try {
      const answer = await read(replica.database, asOfMs);
      if (isFinal(answer)) {
        countRead?.('replica', 'in_step');
        noteAge?.(now() - asOfMs);
        return answer;
      }
      reason = 'lacking';
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      reason = 'failed';
    }
  }
  countRead?.('primary', reason);
  return await read(primary, now());
}

/** The same servers, over connections that prefer the order of an index. */
export function inIndexOrder(databases: Databases): Databases {
  const { primary, ordered = primary, replica } = databases;
  if (replica === null) return { ...databases, primary: ordered };
  const { ageMs } = replica;
  // The freshest replica may change from read to read.
  const ofReplica = {
    ageMs,
    get database() {
      return replica.ordered ?? replica.database;
    },
  };
  return { ...databases, primary: ordered, replica: ofReplica };
}

/** Runs reads of one question; `lagMs` is that of the oldest which a replica answered, and undefined where none did. */
export async function withLag<T>(
  databases: Databases,
  read: (databases: Databases) => Promise<T>,
): Promise<{ readonly answer: T; readonly lagMs: number | undefined }> {
  let lagMs: number | undefined;
  const noteAge = (ageMs: number) => {
    lagMs = Math.max(lagMs ?? 0, ageMs);
  };
  const answer = await read({ ...databases, noteAge });
  return { answer, lagMs };
}

/** `isFinal` for rows that never change: a found row is final; a missing one may have been written a moment ago. */
export const isFound = (answer: unknown): boolean => answer !== undefined;
