/** `/v1/rule-sets/…`: a rule set from its draft to its end, and what it would decide. */
import { z } from 'zod';
import type { Api } from '../../core/room.ts';
import { compileStored } from '../../core/store/rule-sets/rule-sets.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { answer, bodyOf, change, type DescribedBody, read } from '../../kit/http/operation.ts';
import { flagParameter } from '../../kit/words/list-parameters.ts';
import { catalogueNameSchema, describeNames } from './catalogue-names.ts';
import { listFields } from './metadata-fields.ts';
import {
  changeDraft,
  createDraft,
  findKnown,
  refuse,
  retire,
  rollBack,
  rollOut,
  submit,
} from './rule-set-change.ts';
import {
  decidedSchema,
  detailSchema,
  newRollbackSchema,
  newRolloutSchema,
  RULE_SET,
  sourceSchema,
} from './rule-set-record.ts';
import { readRuleSet, toDetail } from './rule-set-rows.ts';
import {
  BODY_BYTES_MAX,
  check,
  checkedSchema,
  compileGiven,
  trialExample,
  trialSchema,
  triedSchema,
  tryRuleSet,
} from './try-rule-set.ts';
import { DECLINED_SHARE_MAX, type ReadYesterday, refusalOf } from './yesterday.ts';

type RuleSetParts = Pick<Api, 'databases' | 'models'> & {
  readonly readYesterday: ReadYesterday;
};

const writing = { roles: ['analyst', 'risk_officer'] } as const;
const deciding = { roles: ['risk_officer'] } as const;
const named = z.object({
  id: z.string().meta({ description: '`name@version`.', example: RULE_SET }),
});

const detail = (description: string) => answer(description, detailSchema);
const decided = answer('What holds from now on.', decidedSchema);

const sourceBody: DescribedBody<{ readonly id: string }> = {
  schema: sourceSchema,
  bytesMax: BODY_BYTES_MAX,
  // The source is checked where its lists are known.
  read: (value) => value as { readonly id: string },
};

const submission = z.strictObject({
  accept_declines: flagParameter.optional().meta({
    description: `True: the rule set is meant to decline more than ${DECLINED_SHARE_MAX * 100} % of yesterday's scores, or reads what none of them recorded.`,
  }),
});

/** @throws Failure `conflict` where the submission takes a word of its own */
async function refuseManyDeclines(parts: RuleSetParts, name: string): Promise<void> {
  const row = await findKnown(parts.databases.primary.query, name);
  // Other states are refused by the submission itself.
  if (row.state !== 'draft') return;
  const refusal = await refusalOf(await compileStored(row), await parts.readYesterday());
  if (refusal !== null) refuse(refusal);
}

export const ruleSetOperations = [
  change({
    ...writing,
    at: '/v1/rule-sets/check',
    operationId: 'checkRuleSet',
    summary: 'What is wrong with a rule set, by line and column, or what its rules hit yesterday',
    description:
      'Hits are of a sample. The first request of ten minutes reads the sample, in some seconds.',
    'x-writes-nothing': true,
    body: {
      ...bodyOf(sourceSchema),
      bytesMax: BODY_BYTES_MAX,
      read: (value) => value,
    },
    answers: { 200: answer('The faults of the rules, or their hits.', checkedSchema) },
    run: async ({ body }, { databases: { primary }, readYesterday }: RuleSetParts) =>
      await check(primary.query, readYesterday, body),
  }),
  change({
    ...writing,
    at: '/v1/rule-sets/test',
    operationId: 'tryRuleSet',
    summary: 'What a rule set would decide of one transaction or vector',
    'x-writes-nothing': true,
    body: {
      ...bodyOf(trialSchema, trialExample),
      bytesMax: BODY_BYTES_MAX,
      // The source is checked by its own reader.
      read: (value) => checkFields(trialSchema, value),
    },
    answers: { 200: answer('The decision, and every rule.', triedSchema) },
    problems: [404, 409],
    run: async ({ body }, { databases: { primary }, models }: RuleSetParts) =>
      await tryRuleSet(primary, models, body),
  }),
  // The catalogue goes before the rule set that a path names.
  read({
    roles: ['analyst', 'operator', 'risk_officer'],
    at: '/v1/rule-sets/catalogue',
    operationId: 'readRuleCatalogue',
    summary: 'Names that expressions of rules may read, with their types and values of yesterday',
    answers: {
      200: answer(
        'Metadata fields first, then the transaction and the model, then features in their order.',
        z.object({ sampled: z.int(), items: z.array(catalogueNameSchema) }),
      ),
    },
    run: async (_, { databases: { primary }, readYesterday }: RuleSetParts) =>
      await describeNames(await readYesterday(), await listFields(primary.query)),
  }),
  read({
    roles: ['analyst', 'operator', 'risk_officer'],
    at: '/v1/rule-sets/{id}',
    operationId: 'readRuleSet',
    summary: 'A rule set with its source and rollouts',
    path: named,
    tagged: true,
    answers: { 200: detail('The rule set; its `ETag` is the `If-Match` of a change.') },
    run: ({ path: { id } }, { databases: { primary } }: RuleSetParts) => readRuleSet(primary, id),
  }),
  change({
    ...writing,
    at: '/v1/rule-sets',
    operationId: 'createRuleSet',
    summary: 'Make a draft',
    body: sourceBody,
    tagged: true,
    answers: { 201: detail('The draft.') },
    run: async ({ body, by }, { databases: { primary } }: RuleSetParts) => {
      await compileGiven(primary.query, body);
      return await toDetail(primary, await createDraft(primary, body, by));
    },
  }),
  change({
    method: 'put',
    ...writing,
    at: '/v1/rule-sets/{id}',
    operationId: 'changeRuleSet',
    summary: 'Change a draft of your own',
    path: named,
    matched: true,
    body: sourceBody,
    tagged: true,
    answers: { 200: detail('The draft.') },
    problems: [404],
    run: async ({ path: { id }, ifMatch, body, by }, { databases: { primary } }: RuleSetParts) => {
      await compileGiven(primary.query, body);
      return await toDetail(primary, await changeDraft(primary, id, ifMatch, body, by));
    },
  }),
  change({
    ...writing,
    at: '/v1/rule-sets/{id}/submit',
    operationId: 'submitRuleSet',
    summary: 'Submit your own draft, which no longer changes; another person confirms it',
    path: named,
    query: submission,
    answers: { 200: answer('The approval.', approvalSchema) },
    run: async ({ path: { id }, by, query }, parts: RuleSetParts) => {
      const { primary } = parts.databases;
      if (query.accept_declines !== true) await refuseManyDeclines(parts, id);
      return await submit(primary, id, by);
    },
  }),
  change({
    ...deciding,
    at: '/v1/rule-sets/{id}/retire',
    operationId: 'retireRuleSet',
    summary: 'Retire a rule set that decides nowhere; it still explains and verifies its scores',
    path: named,
    tagged: true,
    answers: { 200: detail('The rule set as it is now.') },
    run: async ({ path: { id }, by }, { databases: { primary } }: RuleSetParts) =>
      await toDetail(primary, await retire(primary, id, by)),
  }),
  change({
    ...deciding,
    at: '/v1/rule-sets/{id}/rollout',
    operationId: 'rollOutRuleSet',
    summary: 'Propose a rollout; another person confirms it',
    description:
      'To `shadow`, which decides nothing and whose flips are counted, then `canary:N`, N % of the accounts, always the same ones, then `active`, which takes the place of the active one. More than 5 % of one corridor, a second corridor, and one of another source country each wait for the dwell time and the gates of the `stage`, or take an `override`. Workers act on its confirmation within 2 s.',
    path: named,
    body: bodyOf(newRolloutSchema),
    answers: { 200: answer('The approval.', approvalSchema) },
    run: async ({ path: { id }, body, by }, { databases: { primary } }: RuleSetParts) =>
      await rollOut(primary, id, body, by),
  }),
  change({
    ...deciding,
    at: '/v1/rule-sets/{id}/rollback',
    operationId: 'rollBackRuleSet',
    'x-command': 'rules rollback',
    summary: 'Take a rule set back at once, to what decided before',
    description: 'Workers act on it within 2 s.',
    path: named,
    body: bodyOf(newRollbackSchema),
    answers: { 200: decided },
    run: async ({ path: { id }, body, by }, { databases: { primary } }: RuleSetParts) =>
      await rollBack(primary, id, body.corridor, by),
  }),
];
