/** Sessions of browsers: a login with an API key, or with a link that one made, in exchange for a cookie. */

/** A session ends this long after its last use, at the latest after HOURS, and with its key. */
export const SESSION_IDLE_MINUTES = 30;
export const SESSION_HOURS = 12;
/** Uses are recorded this often. */
export const SESSION_USE_SECONDS = 60;
/** Open sessions of one key; beyond them the oldest ends. */
export const SESSIONS_MAX = 50;
/** A link logs in once, within this time. */
export const LINK_MINUTES = 10;

export type Session = {
  readonly sessionId: string;
  readonly keyId: string;
  readonly owner: string;
  /** The person who holds the key; null for a key that belongs to no person. */
  readonly identity: string | null;
  readonly createdAt: Date;
  /** To the minute. */
  readonly usedAt: Date;
  readonly expiresAt: Date;
};

export type NewSession = { readonly sessionId: string; readonly tokenHash: Buffer };

/** What a request authenticates with: a key, the token of a link that logs in, or that of a session. */
export type Credential = {
  readonly kind: 'key' | 'link' | 'session';
  readonly token: string;
};
