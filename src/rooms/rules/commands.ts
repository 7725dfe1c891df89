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
  'proposals',
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

const sayApproved = (_: Values, { id }: Values) =>
  `It decides nothing yet. Next, two risk officers send bin/risk rules rollout ${id} --corridor CORRIDOR --to shadow, one after the other`;

type Decided = { readonly proposal?: object | null };
/** Says how a proposal comes into force, or what follows what is in force. */
function sayRollout({ proposal = null }: Decided, { id, corridor, to }: Values): string {
  const where = `${id} --corridor ${corridor}`;
  if (proposal !== null)
    return `It is in force when another risk officer sends bin/risk rules rollout ${where} --to ${to}`;
  const back = `bin/risk rules rollback ${where} takes it back`;
  const next = String(to).startsWith('canary') ? 'active' : 'canary:5';
  return to === 'active'
    ? `It is in force: ${back}`
    : `It is in force: bin/risk rules show ${id} says how it does, and ${back}. Next: bin/risk rules rollout ${where} --to ${next}`;
}

export const command = commandOf({
  name: 'rules',
  summary: 'Checks, tries, submits, approves and rolls out rule sets.',
  notes: `RULE_SET is a name with a version, as careful@1. FILE is YAML, as export writes it, or JSON. A rule may have examples, which test runs:
  examples:
    - given: { amount: 900, corridor: US-EG, in_list.stolen: true }
      fires: true                # or verdict: review, of all rules together
A draft is changed and submitted by its author, and approved by another person. It goes by shadow and canary to active, each step by two
people: the first proposes, the second sends the same. One person rolls back, and every worker follows within 2 s.
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
    approve: { operation: 'approveRuleSet', ...told, notes: sayApproved },
    rollout: { operation: 'rollOutRuleSet', notes: sayRollout },
    retire: { operation: 'retireRuleSet', ...told },
  },
});
