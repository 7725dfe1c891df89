/** Steps of a recovery that `npm run drills -- --mutations` leaves out of a copy of the engine, and the drill that must notice. */
import type { Mutant } from '../chaos/support/mutant.ts';

export const MUTANTS: readonly Mutant[] = [
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
