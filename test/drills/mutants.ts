/** Steps of a recovery that `npm run drills -- --mutations` leaves out of a copy of the engine, and the drill that must notice. */
import type { Mutant } from '../chaos/support/mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'redis-kept',
    what: 'Redis is not emptied after Postgres was restored',
    scenario: 'point-in-time',
    replacements: [
      {
        file: 'docs/backup.md',
        find: 'redis-cli -u "$REDIS_ADMIN_URL" unlink',
        replace: 'redis-cli -u "$REDIS_ADMIN_URL" exists',
      },
    ],
  },
  {
    name: 'reconciler-off',
    what: 'nobody appends what a lost Redis left behind',
    scenario: 'server-lost',
    replacements: [
      {
        file: 'src/core/repair/reconcile.ts',
        find: 'const result = await feedRows(round);',
        replace: 'const result = { rows: 0, appended: 0, isFull: round === undefined };',
      },
    ],
  },
];
