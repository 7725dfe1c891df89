/**
 * Which Postgres answers a read: recent data comes from the primary, older from a replica while it is in step. What the
 * replica lacks, or cannot answer, is asked of the primary.
 */
import { isUnavailable } from '../domain/failure.ts';
import type { Database } from '../store/pool.ts';

export type Replica = {
  readonly database: Database;
  /** It lacks nothing that was committed longer ago than this; undefined while nothing is to be read from it. */
  readonly ageMs: () => number | undefined;
};

/** Why a read was the primary's: its data is recent; the replica was behind or away, failed, or had no final answer. */
type PrimaryReason = 'recent' | 'behind' | 'failed' | 'lacking';
export type CountRead = (
  ...by: [database: 'replica', why: 'in_step'] | [database: 'primary', why: PrimaryReason]
) => void;

export type Databases = {
  readonly primary: Database;
  /** Null where no replica is configured; nothing is counted then. */
  readonly replica: Replica | null;
  readonly now: () => number;
  readonly countRead?: CountRead;
  /** Hears of each read that the replica answered. */
  readonly noteAge?: (ageMs: number) => void;
};

/**
 * Data younger than this by its created_at is the primary's, whatever the degradation level: it may be written some time after
 * its created_at, up to a request's deadline and as far as clocks are apart. Above any bound on the replica's lag.
 */
export const RECENT_MS = 5 * 60 * 1000;

/**
 * @param newestMs created_at of the newest row the read may return, exclusive
 * @param read     `asOfMs`: what was committed before it is in the answer
 * @param isFinal  false where the primary may know more than this answer of the replica
 */
export async function readFrom<T>(
  databases: Databases,
  newestMs: number,
  read: (database: Database, asOfMs: number) => Promise<T>,
  isFinal: (answer: T) => boolean = () => true,
): Promise<T> {
  const { primary, replica, now, countRead, noteAge } = databases;
  if (replica === null) return await read(primary, now());
  const ageMs = replica.ageMs();
  let reason: PrimaryReason = 'behind';
  if (newestMs > now() - RECENT_MS) reason = 'recent';
  else if (ageMs !== undefined) {
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

/** Of rows that never change: what is found is so everywhere, and what is not may have been written a moment ago. */
export const isFound = (answer: unknown): boolean => answer !== undefined;
