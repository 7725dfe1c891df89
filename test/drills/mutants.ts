/** Steps of a recovery that `npm run drills -- --mutations` leaves out of a copy of the engine, and the drill that must notice. */
import type { Mutant } from '../chaos/support/mutant.ts';
import { LEFT_OF_OLD } from './upgrade.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'reconciler-off',
    what: 'nobody appends what a lost Redis left behind',
    scenario: 'server-lost',
    file: 'src/core/repair/reconcile.ts',
    find: 'const result = await feedRows(round);',
    replace: 'const result = { rows: 0, appended: 0, isFull: round === undefined };',
  },
  {
    name: 'unread-kept',
    what: 'entries that no worker reads stay in their stream',
    scenario: 'upgrade',
    bar: LEFT_OF_OLD,
    file: 'src/core/repair/walk-rows.ts',
    find: 'await heads.dropUnread(streams);',
    replace: '',
  },
];
