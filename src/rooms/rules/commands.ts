/** `risk rules …`: rule sets as files, and their life, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import {
  checkFile,
  diffFiles,
  exportRuleSet,
  importFile,
  submitGiven,
  testFile,
  type Values,
} from './file-commands.ts';

/** Members of a rule set that people read; export writes the rules. */
const TOLD = [
  'rule_set',
  'state',
  'author',
  'approved_by',
  'sha256',
  'problem',
  'corridors',
  'stage',
  'shadows',
];
const told = {
  tell: (found: Values): Values => Object.fromEntries(TOLD.map((name) => [name, found[name]])),
};

/** Scores by label, in words. */
const sayKnown = ({ fraud, legitimate, none }: Values) =>
  `${fraud} fraud, ${legitimate} legitimate, ${none ?? 'not counted'} without a label`;

/** The rules that declined the most good customers first, without those that never fired. */
const tellOutcomes = ({ rules, outcomes, ...about }: Values): Values => {
  const { approve, review, decline } = Object(outcomes);
  const fired = Object(rules).flatMap(({ rule, hits, outcomes: of }: Values) => {
    const counts = Object(of);
    const row = {
      ...{ rule, hits },
      good_declined: counts.decline.legitimate,
      frauds_declined: counts.decline.fraud,
      others_declined: counts.decline.none,
      good_reviewed: counts.review.legitimate,
      frauds_reviewed: counts.review.fraud,
      frauds_approved: counts.approve.fraud,
    };
    return hits === 0 ? [] : row;
  });
  type Fired = { readonly good_declined: number };
  return {
    ...about,
    approve: sayKnown(approve),
    review: sayKnown(review),
    decline: sayKnown(decline),
    rules: fired.sort((left: Fired, right: Fired) => right.good_declined - left.good_declined),
  };
};

export const command = commandOf({
  name: 'rules',
  summary: 'Checks, tries, submits and rolls out rule sets.',
  notes: `RULE_SET is a name with a version, as careful@1. FILE is YAML, as export writes it, or JSON. A rule may have examples, which test runs:
  examples:
    - given: { amount: 900, corridor: US-EG, in_list.stolen: true }
      fires: true                # or verdict: review, of all rules together
A draft is changed and submitted by its author, and confirmed by another person (risk approvals). It goes by shadow and canary to active,
each step by two people. One person rolls back, and every worker follows within 2 s.
Example: risk rules rollout careful@1 --corridor US-EG --to canary:5`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listRuleSets',
      columns: ['rule_set', 'state', 'in_force', 'author', 'approved_by', 'corridors', 'problem'],
    },
    show: { operation: 'readRuleSet', ...told },
    outcomes: { operation: 'readRuleOutcomes', tell: tellOutcomes },
    check: checkFile,
    test: testFile,
    diff: diffFiles,
    import: importFile,
    export: exportRuleSet,
    submit: submitGiven,
    rollout: { operation: 'rollOutRuleSet' },
    retire: { operation: 'retireRuleSet', ...told },
  },
});
