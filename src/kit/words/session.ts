/** Sessions of browsers: a login with an API key, or with a link that one made, in exchange for a cookie. */
import { z } from 'zod';

/** A session ends this long after its last use, at the latest after HOURS, and with its key. */
export const SESSION_IDLE_MINUTES = 30;
export const SESSION_HOURS = 12;
/** Uses are recorded this often. */
export const SESSION_USE_SECONDS = 60;
/** Open sessions of one key; beyond them the oldest ends. */
export const SESSIONS_MAX = 50;
/** A link logs in once, within this time. */
export const LINK_MINUTES = 10;

export const sessionSchema = z
  .object({
    session_id: z.string(),
    key_id: z.string(),
    owner: z.string(),
    identity: z.string().nullable(),
    created_at: z.iso.datetime(),
    used_at: z.iso.datetime().meta({ description: 'Last use, to the minute.' }),
    expires_at: z.iso.datetime(),
    current: z.boolean().meta({ description: 'Whether the request itself is of this session.' }),
  })
  .meta({ id: 'Session' });
export type Session = Omit<z.infer<typeof sessionSchema>, 'current'>;

export type NewSession = { readonly sessionId: string; readonly tokenHash: Buffer };

/** Credential of a request: a key, the token of a link that logs in, or that of a session. */
export type Credential = {
  readonly kind: 'key' | 'link' | 'session';
  readonly token: string;
};
