/** Records that somebody uses a session, so that the session stays open: at most once in SESSION_USE_SECONDS. */
import { LRUCache } from 'lru-cache';
import type { Database } from '../database/pool.ts';
import { isUnavailable } from '../words/failure.ts';
import { SESSION_USE_SECONDS } from '../words/session.ts';
import { recordUse } from './sessions.ts';

/** Sessions whose last recorded use is remembered. */
const USED_MAX = 10_000;

export function createRecordUse(database: Database): (sessionId: string) => Promise<void> {
  const used = new LRUCache<string, true>({ max: USED_MAX, ttl: SESSION_USE_SECONDS * 1000 });
  return async (sessionId) => {
    if (used.has(sessionId)) return;
    used.set(sessionId, true);
    try {
      await recordUse(database.write, sessionId);
    } catch (error) {
      used.delete(sessionId);
      // The request itself says what is unavailable.
      if (!isUnavailable(error)) throw error;
    }
  };
}
