/** The Redis user of the engine in these set-ups: it has the rights that docs/deploy.md names, and no more. */
import { MARKET } from '../../chaos/support/streams.ts';

const NAME = 'risk';
const PASSWORD = 'engine';
const RULES = `~${MARKET}:* ~{${MARKET}:* &${MARKET}:* +@all -@admin -@dangerous +info +client|unblock`;

export const ACL_USER = {
  name: NAME,
  /** The user as a line of redis.conf. */
  line: `${NAME} on >${PASSWORD} ${RULES}`,
  /** User and password as part of a URL. */
  login: `${NAME}:${PASSWORD}`,
} as const;
