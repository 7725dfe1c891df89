/** Mechanisms of review cases, and the scenario that notices where one is taken out. */
import type { Mutant } from './support/mutant.ts';

const CLOSE_DECIDED = 'src/rooms/review/change/close-decided.ts';

export const REVIEW_MUTANTS: readonly Mutant[] = [
  {
    name: 'intake-with-its-cases',
    what: 'what names transactions to review is removed before their cases are stored',
    scenario: 'reviewers',
    file: 'src/rooms/review/change/raise-cases.ts',
    find: 'await takeReviewed(query, rowsMax, transactionsMax)',
    replace: 'await database.transaction((own) => takeReviewed(own, rowsMax, transactionsMax))',
  },
  {
    name: 'label-with-its-decision',
    what: 'the label of a final decision is stored after the commit that closes the case',
    scenario: 'reviewers',
    file: CLOSE_DECIDED,
    find: '  const { closed, batchIds, labelled } =',
    replace: '  let late: readonly Made[] = [];\n  const { closed, batchIds, labelled } =',
    also: [
      {
        file: CLOSE_DECIDED,
        find: 'const batchIds = await storeLabels(query, labels);',
        replace: 'const batchIds: string[] = [];\n    late = labels;',
      },
      {
        file: CLOSE_DECIDED,
        find: '  if (labelled.length > 0) {\n',
        replace:
          '  if (late.length > 0) await writes.transaction((query) => storeLabels(query, late));\n  if (labelled.length > 0) {\n',
      },
    ],
  },
];
