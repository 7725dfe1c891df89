/** Mechanisms of review cases, and the scenario that notices where one is taken out. */
import type { Mutant } from './support/mutant.ts';

const CLOSE_DECIDED = 'src/rooms/review/change/close-decided.ts';

export const REVIEW_MUTANTS: readonly Mutant[] = [
  {
    name: 'outbox-with-its-cases',
    what: 'what names transactions to review is removed before their cases are stored',
    scenario: 'reviewers',
    file: 'src/kit/outbox/outbox.ts',
    find: 'await outbox.take(query)',
    replace: 'await database.transaction(outbox.take)',
  },
  {
    name: 'label-with-its-decision',
    what: 'the label of a final decision is stored after the commit that closes the case',
    scenario: 'reviewers',
    file: CLOSE_DECIDED,
    find: '  const { closed, labelled, rowId } =',
    replace: '  let late: readonly Made[] = [];\n  const { closed, labelled, rowId } =',
    also: [
      {
        file: CLOSE_DECIDED,
        find: 'await storeLabels(query, labels);',
        replace: 'late = labels;',
      },
      {
        file: CLOSE_DECIDED,
        find: '  if (rowId !== undefined) {\n',
        replace:
          '  if (late.length > 0) await writes.transaction((query) => storeLabels(query, late));\n  if (rowId !== undefined) {\n',
      },
    ],
  },
];
