/** Every proof of `npm run isolation`, and what `-- --mutations` takes out of a copy of the engine. */
import type { Mutant } from '../chaos/support/mutant.ts';
import type { Scenario } from '../chaos/support/scenario.ts';
import { neighbours } from './neighbours.ts';
import { LATE, switchFlips } from './switch-flips.ts';

export const PROOFS: readonly Scenario[] = [switchFlips, ...neighbours];

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'refuse-stopped',
    what: 'the statement that stores scores does not ask whether their corridor is stopped',
    scenario: switchFlips.name,
    bar: LATE,
    file: 'src/core/store/scores/scores.ts',
    find: '\n              where (select market.refuse_stopped($7::text[]))',
    replace: '',
  },
];
