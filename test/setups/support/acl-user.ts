/** The user of Redis that the engine runs as in these set-ups: it may do what docs/operations.md names, and no more. */
import { MARKET } from '../../chaos/support/streams.ts';

const NAME = 'risk';
const PASSWORD = 'engine';
const RULES = `~${MARKET}:* ~{${MARKET}:* &${MARKET}:* +@all -@admin -@dangerous +info +client|unblock`;

export const ACL_USER = {
  name: NAME,
  /** As a setting of redis.conf. */
  line: `${NAME} on >${PASSWORD} ${RULES}`,
  /** As part of a URL. */
  login: `${NAME}:${PASSWORD}`,
} as const;
