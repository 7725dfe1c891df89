/** Binds sessions of browsers to the database for the API. */
import {
  beginSession,
  endSession,
  listSessions,
  makeLoginLink,
} from '../../kit/access/sessions.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Actor } from '../../kit/words/principal.ts';

export type Sessions = ReturnType<typeof createSessions>;

export function createSessions(database: Database) {
  return {
    begin: (login: Parameters<typeof beginSession>[1], by: Actor) =>
      beginSession(database, login, by),
    list: (after: string, keyId: string | null, limit: number) =>
      listSessions(database, after, keyId, limit),
    end: (sessionId: string, keyId: string | null, by: Actor) =>
      endSession(database, sessionId, keyId, by),
    makeLink: (tokenHash: Buffer, keyId: string, by: Actor) =>
      makeLoginLink(database, tokenHash, keyId, by),
  };
}
