/** The room of access: API keys, the people who hold them, and sessions of browsers. */
import type { Room } from '../../core/room.ts';
import { ANSWER_KEPT_HOURS } from '../../kit/access/kept-answers.ts';
import { purgeBefore, type Retention } from '../../kit/duties/purge.ts';

const DAY_OLD = `now() - interval '${ANSWER_KEPT_HOURS} hours'`;
const LONG_EXPIRED = "now() - interval '30 days'";

const tables: readonly Retention[] = [
  { tables: ['api_keys'], ends: 'never: a revoked key still says whose it was' },
  {
    tables: ['sessions', 'login_links'],
    ends: '30 days after they expire: the audit log keeps who logged in',
    purges: [
      purgeBefore('sessions', 'expires_at', LONG_EXPIRED),
      purgeBefore('login_links', 'expires_at', LONG_EXPIRED),
    ],
  },
  {
    tables: ['kept_answers'],
    ends: `${ANSWER_KEPT_HOURS} hours after the request: a repetition is carried out again then`,
    purges: [purgeBefore('kept_answers', 'claimed_at', DAY_OLD)],
  },
  { tables: ['provider_logins'], ends: 'never: a name stays with who had it first' },
  { tables: ['identities'], ends: 'never: a revoked person still counts as a maker of keys' },
];

export const access: Room = {
  name: 'access',
  commands: { keys: () => import('./commands.ts') },
  routes: () => import('./api.ts'),
  tables,
};
