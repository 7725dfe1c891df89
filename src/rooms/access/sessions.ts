/** Binds sessions of browsers to the database for the API. */
import { LRUCache } from 'lru-cache';
import {
  beginSession,
  endSession,
  listSessions,
  makeLoginLink,
  recordUse,
} from '../../kit/access/sessions.ts';
import type { Database } from '../../kit/database/pool.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import type { Actor } from '../../kit/words/principal.ts';
import { SESSION_USE_SECONDS } from '../../kit/words/session.ts';

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions whose last recorded use is remembered. */
const USED_MAX = 10_000;

export function createSessions(database: Database) {
  const used = new LRUCache<string, true>({ max: USED_MAX, ttl: SESSION_USE_SECONDS * 1000 });
  return {
    begin: (login: Parameters<typeof beginSession>[1], by: Actor) =>
      beginSession(database, login, by),
    list: (after: string, keyId: string | null, limit: number) =>
      listSessions(database, after, keyId, limit),
    end: (sessionId: string, keyId: string | null, by: Actor) =>
      endSession(database, sessionId, keyId, by),
    makeLink: (tokenHash: Buffer, keyId: string, by: Actor) =>
      makeLoginLink(database, tokenHash, keyId, by),
    /** Records a use once a minute. */
    recordUse: async (sessionId: string): Promise<void> => {
      if (used.has(sessionId)) return;
      used.set(sessionId, true);
      try {
        await recordUse(database, sessionId);
      } catch (error) {
        used.delete(sessionId);
        // The request itself says what is unavailable.
        if (!isUnavailable(error)) throw error;
      }
    },
  };
}
