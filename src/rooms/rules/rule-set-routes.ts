/** `/v1/rule-sets/…`: a rule set from its draft to its end, and what it would decide. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Api } from '../../core/room.ts';
import { compileStored } from '../../core/store/rule-sets/rule-sets.ts';
import type { Database } from '../../kit/database/pool.ts';
import { ANSWER_HEADERS, answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import { plainTag } from '../../kit/http/answers/entity-tag.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { answer, bodyOf, type DescribedBody, operation } from '../../kit/http/operation.ts';
import { flagParameter, shown } from '../../kit/words/list-parameters.ts';
import { catalogueExample, catalogueNameSchema, describeNames } from './catalogue-names.ts';
import { listFields } from './metadata-fields.ts';
import {
  approve,
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
  decidedExample,
  decidedSchema,
  detailExample,
  detailSchema,
  newRollbackSchema,
  newRolloutSchema,
  RULE_SET,
  sourceExample,
  sourceSchema,
} from './rule-set-record.ts';
import { readRuleSet, toDetail } from './rule-set-rows.ts';
import type { StoredRuleSet } from './store.ts';
import {
  BODY_BYTES_MAX,
  check,
  checkedExample,
  checkedSchema,
  compileGiven,
  trialExample,
  trialSchema,
  triedExample,
  triedSchema,
  tryRuleSet,
} from './try-rule-set.ts';
import { DECLINED_SHARE_MAX, type ReadYesterday, refusalOf } from './yesterday.ts';

type RuleSetParts = Pick<Api, 'databases' | 'models'> & {
  readonly readYesterday: ReadYesterday;
};

const writing = { roles: ['analyst', 'risk_officer'] } as const;
const deciding = { method: 'post', roles: ['risk_officer'] } as const;
const named = z.object({
  id: z.string().meta({ description: '`name@version`.', example: RULE_SET }),
});

const headers = answerHeaders('ETag');
const detail = (description: string) => ({
  headers,
  ...answer(description, detailSchema, detailExample),
});
const decided = answer('What holds from now on, or is proposed.', decidedSchema, decidedExample);

const sourceBody: DescribedBody<{ readonly id: string }> = {
  schema: sourceSchema,
  example: sourceExample,
  bytesMax: BODY_BYTES_MAX,
  // The source is checked where its lists are known.
  read: (value) => value as { readonly id: string },
};

async function answerDetail(
  c: Context<AppEnv>,
  database: Database,
  row: StoredRuleSet,
  status: 200 | 201 = 200,
): Promise<Response> {
  const json = await toDetail(database, row);
  return c.json(json, status, { ETag: json.tag });
}

const nameIn = (c: Context<AppEnv>) => c.req.param('id') ?? '';

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

/** A step of one person with a rule set as a whole. */
const step = (
  word: 'approve' | 'retire',
  described: Pick<Parameters<typeof operation>[0], 'roles' | 'summary' | 'operationId'>,
  run: typeof approve,
) =>
  operation({
    method: 'post',
    at: `/v1/rule-sets/{id}/${word}`,
    ...described,
    anyPath: named,
    answers: { 200: detail('As it is now.') },
    problems: [404, 409],
    run: async ({ c, by }, { databases: { primary } }: RuleSetParts) =>
      await answerDetail(c, primary, await run(primary, nameIn(c), by)),
  });

export const ruleSetOperations = [
  operation({
    method: 'post',
    ...writing,
    at: '/v1/rule-sets/check',
    operationId: 'checkRuleSet',
    summary: 'What is wrong with a rule set, by line and column, or what its rules hit yesterday',
    description:
      'Hits are of a sample. The first request of ten minutes reads the sample, in some seconds.',
    'x-writes-nothing': true,
    body: {
      ...bodyOf(sourceSchema, sourceExample),
      bytesMax: BODY_BYTES_MAX,
      read: (value) => value,
    },
    answers: { 200: answer('What is wrong, or hits.', checkedSchema, checkedExample) },
    run: async ({ body }, { databases: { primary }, readYesterday }: RuleSetParts) =>
      await check(primary.query, readYesterday, body),
  }),
  operation({
    method: 'post',
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
    answers: { 200: answer('The decision, and every rule.', triedSchema, triedExample) },
    problems: [404, 409],
    run: async ({ body }, { databases: { primary }, models }: RuleSetParts) =>
      await tryRuleSet(primary, models, body),
  }),
  // The catalogue goes before the rule set that a path names.
  operation({
    method: 'get',
    roles: ['analyst', 'operator', 'risk_officer'],
    at: '/v1/rule-sets/catalogue',
    operationId: 'readRuleCatalogue',
    summary: 'Names that expressions of rules may read, with their types and values of yesterday',
    answers: {
      200: answer(
        'Metadata fields first, then the transaction and the model, then features in their order.',
        z.object({ sampled: z.int(), items: z.array(catalogueNameSchema) }),
        { sampled: 20_000, items: [catalogueExample] },
      ),
    },
    run: async (_, { databases: { primary }, readYesterday }: RuleSetParts) =>
      await describeNames(await readYesterday(), await listFields(primary.query)),
  }),
  operation({
    method: 'get',
    roles: ['analyst', 'operator', 'risk_officer'],
    at: '/v1/rule-sets/{id}',
    operationId: 'readRuleSet',
    summary: 'A rule set with its source and rollouts',
    anyPath: named,
    answers: { 200: detail('The rule set; its `ETag` is the `If-Match` of a change.') },
    problems: [404],
    run: async ({ c }, { databases: { primary } }: RuleSetParts) => {
      const json = await readRuleSet(primary, nameIn(c));
      return c.json(json, 200, { ETag: json.tag });
    },
  }),
  operation({
    method: 'post',
    ...writing,
    at: '/v1/rule-sets',
    operationId: 'createRuleSet',
    summary: 'Make a draft',
    body: sourceBody,
    answers: { 201: detail('The draft.') },
    problems: [409],
    run: async ({ c, body, by }, { databases: { primary } }: RuleSetParts) => {
      await compileGiven(primary.query, body);
      return await answerDetail(c, primary, await createDraft(primary, body, by), 201);
    },
  }),
  operation({
    method: 'put',
    ...writing,
    at: '/v1/rule-sets/{id}',
    operationId: 'changeRuleSet',
    summary: 'Change a draft of your own',
    anyPath: named,
    header: z.object({
      'If-Match': z
        .string()
        .optional()
        .meta(shown(ANSWER_HEADERS.ETag.example, '`ETag` of the draft; without it 412.')),
    }),
    body: sourceBody,
    answers: { 200: detail('The draft.') },
    problems: [404, 409, 412],
    run: async ({ c, body, by }, { databases: { primary } }: RuleSetParts) => {
      await compileGiven(primary.query, body);
      const given = c.req.header('if-match');
      const tag = given && plainTag(given);
      const row = await changeDraft(primary, nameIn(c), tag, body, by);
      return await answerDetail(c, primary, row);
    },
  }),
  operation({
    method: 'post',
    ...writing,
    at: '/v1/rule-sets/{id}/submit',
    operationId: 'submitRuleSet',
    summary: 'Submit a draft of your own: it changes no more',
    anyPath: named,
    query: submission,
    answers: { 200: detail('As it is now.') },
    problems: [404, 409],
    run: async ({ c, by, query }, parts: RuleSetParts) => {
      const { primary } = parts.databases;
      if (query.accept_declines !== true) await refuseManyDeclines(parts, nameIn(c));
      return await answerDetail(c, primary, await submit(primary, nameIn(c), by));
    },
  }),
  step(
    'approve',
    {
      roles: deciding.roles,
      operationId: 'approveRuleSet',
      summary: 'Approve what another person has written and submitted',
    },
    approve,
  ),
  step(
    'retire',
    {
      roles: deciding.roles,
      operationId: 'retireRuleSet',
      summary: 'Retire what decides nowhere; it explains and verifies its scores',
    },
    retire,
  ),
  operation({
    ...deciding,
    at: '/v1/rule-sets/{id}/rollout',
    operationId: 'rollOutRuleSet',
    summary: 'Propose a rollout; the same call by another person puts it in force',
    description:
      'To `shadow`, which decides nothing and whose flips are counted, then `canary:N`, N % of the accounts, always the same ones, then `active`, which takes the place of the active one. More than 5 % of one corridor, a second corridor, and one of another source country each wait for the dwell time and the gates of the `stage`, or take an `override`. A proposal is open for 7 days. Workers act on it within 2 s.',
    anyPath: named,
    body: bodyOf(newRolloutSchema, { corridor: 'US-EG', to: 'canary:5' }),
    answers: { 200: decided },
    problems: [404, 409],
    run: async ({ c, body, by }, { databases: { primary } }: RuleSetParts) =>
      await rollOut(primary, nameIn(c), body, by),
  }),
  operation({
    ...deciding,
    at: '/v1/rule-sets/{id}/rollback',
    operationId: 'rollBackRuleSet',
    summary: 'Take a rule set back at once, to what decided before',
    description: 'Workers act on it within 2 s.',
    anyPath: named,
    body: bodyOf(newRollbackSchema, { corridor: 'US-EG' }),
    answers: { 200: decided },
    problems: [404, 409],
    run: async ({ c, body, by }, { databases: { primary } }: RuleSetParts) =>
      await rollBack(primary, nameIn(c), body.corridor, by),
  }),
];
